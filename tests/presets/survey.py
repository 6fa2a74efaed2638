"""The configurations of other libraries that were measured before there were presets, by what was recorded since.

`python tests/presets/survey.py` counts them. A line is one configuration: the loss, the arguments that are given, with
`=` where one value of several is meant, and after a colon the inputs where they are what it is about. `*` is in the
place of arguments that stand for all of the library's calls. A line with `!` is not offered, and says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from seglosses_conformance.presets import documents

SURVEY = {
    "monai": """
        * = softmax to_onehot_y
        DiceLoss *
        DiceLoss * include_background
        DiceLoss * batch
        DiceLoss * reduction=sum
        DiceLoss * reduction=none
        DiceLoss * squared_pred
        DiceLoss * jaccard
        DiceLoss * squared_pred jaccard
        DiceLoss * weight=2.0
        DiceLoss * weight=w
        DiceLoss * weight include_background
        DiceLoss * smooth_nr=0.0 smooth_dr
        DiceLoss sigmoid : binary
        DiceLoss sigmoid : multilabel
        DiceLoss : binary-probabilities
        ! DiceLoss other_act: refused: apply it to the logits, and leave the activations off
        DiceLoss softmax : soft
        DiceLoss softmax soft_label : soft
        DiceLoss softmax jaccard soft_label : soft
        DiceLoss * ignore_index : ignored
        DiceLoss * ignore_index : image-ignored
        DiceLoss softmax ignore_index : one-hot
        MaskedDiceLoss softmax mask : one-hot
        MaskedDiceLoss * include_background mask
        GeneralizedDiceLoss *
        GeneralizedDiceLoss * w_type=simple
        GeneralizedDiceLoss * batch
        GeneralizedDiceLoss * include_background
        GeneralizedDiceLoss * w_type=uniform
        GeneralizedWassersteinDiceLoss dist_matrix
        GeneralizedWassersteinDiceLoss dist_matrix weighting_mode=GDL
        DiceCELoss *
        DiceCELoss * lambda_dice lambda_ce
        DiceCELoss * include_background
        DiceCELoss * label_smoothing
        DiceCELoss * weight
        DiceCELoss sigmoid : binary
        DiceCELoss sigmoid weight : binary-float
        DiceCELoss sigmoid : multilabel
        DiceFocalLoss sigmoid to_onehot_y
        DiceFocalLoss sigmoid to_onehot_y weight alpha
        DiceFocalLoss *
        GeneralizedDiceFocalLoss *
        FocalLoss : multilabel
        FocalLoss to_onehot_y
        FocalLoss to_onehot_y gamma
        FocalLoss to_onehot_y alpha=0.25
        FocalLoss to_onehot_y reduction=none
        FocalLoss to_onehot_y reduction=sum
        FocalLoss to_onehot_y include_background
        FocalLoss to_onehot_y weight=w
        FocalLoss to_onehot_y alpha=[0.25, 2.0, 1.0, 0.5]
        FocalLoss to_onehot_y use_softmax
        FocalLoss to_onehot_y use_softmax alpha=0.25
        FocalLoss to_onehot_y use_softmax alpha=[0.25, 2.0, 1.0, 0.5]
        FocalLoss to_onehot_y use_softmax weight
        FocalLoss to_onehot_y use_softmax include_background
        FocalLoss to_onehot_y ignore_index
        FocalLoss to_onehot_y ignore_index weight
        FocalLoss to_onehot_y use_softmax ignore_index
        FocalLoss to_onehot_y use_softmax ignore_index weight
        FocalLoss : soft
        TverskyLoss *
        TverskyLoss * alpha beta
        TverskyLoss * batch
        TverskyLoss * include_background
        TverskyLoss * ignore_index
        TverskyLoss softmax : soft
        TverskyLoss softmax soft_label : soft
        MCCLoss *
        MCCLoss * batch
        AsymmetricUnifiedFocalLoss to_onehot_y
        SoftclDiceLoss *
        SoftDiceclDiceLoss *
        BoundaryLoss * include_background
        HausdorffDTLoss * include_background
        LogHausdorffDTLoss * include_background
        NACLLoss classes dim
        ! DeepSupervisionLoss: takes any loss, so give it a preset (examples/monai_unet.py)
    """,
    "smp": """
        * = mode=multiclass
        DiceLoss * : absent
        DiceLoss * smooth
        DiceLoss * from_logits
        DiceLoss * ignore_index
        DiceLoss * class_weights
        DiceLoss * classes
        DiceLoss * log_loss
        DiceLoss mode=binary
        DiceLoss mode=binary ignore_index
        DiceLoss mode=multilabel
        DiceLoss mode=multilabel : soft
        DiceLoss mode=multilabel ignore_index
        JaccardLoss * : absent
        JaccardLoss * smooth
        JaccardLoss * from_logits
        JaccardLoss * ignore_index
        JaccardLoss * class_weights
        JaccardLoss * classes
        JaccardLoss * log_loss
        JaccardLoss mode=binary
        JaccardLoss mode=binary ignore_index
        JaccardLoss mode=multilabel
        JaccardLoss mode=multilabel : soft
        JaccardLoss mode=multilabel ignore_index
        TverskyLoss * alpha beta
        TverskyLoss * smooth
        TverskyLoss * gamma
        TverskyLoss mode=binary
        FocalLoss *
        FocalLoss * alpha
        FocalLoss * gamma
        FocalLoss * ignore_index
        FocalLoss mode=binary alpha
        FocalLoss mode=binary ignore_index
        FocalLoss mode=multilabel
        FocalLoss * class_weights
        FocalLoss * reduction
        FocalLoss mode=binary from_logits eps : binary-saturated
        ! FocalLoss normalized: refused: its sums are of the batch; FocalLoss(normalized=True) has sums of each image
        ! FocalLoss reduced_threshold: refused: leave it out
        FocalLoss mode=multilabel : soft
        SoftBCEWithLogitsLoss
        SoftBCEWithLogitsLoss smooth_factor
        SoftBCEWithLogitsLoss weight
        SoftBCEWithLogitsLoss pos_weight
        ! SoftBCEWithLogitsLoss pos_weight=w: refused: CrossEntropyLoss has pos_weight=
        SoftBCEWithLogitsLoss ignore_index : binary-float-ignored
        SoftBCEWithLogitsLoss ignore_index : multilabel-ignored
        SoftCrossEntropyLoss smooth_factor
        SoftCrossEntropyLoss smooth_factor ignore_index
        LovaszLoss *
        LovaszLoss * per_image
        LovaszLoss * ignore_index
        LovaszLoss mode=binary
        ! LovaszLoss mode=multilabel: refused: take LovaszHingeLoss
        MCCLoss
        MCCLoss eps
    """,
    "kornia": """
        dice_loss
        dice_loss weight
        dice_loss average=macro
        dice_loss average=macro weight
        tversky_loss alpha beta
        ! dice_loss average=macro ignore_index, an image all ignored: it costs 1 there, 0 here; its gradient is 0
        ! dice_loss ignore_index, an image all ignored: the same
        ! tversky_loss ignore_index, an image all ignored: the same
        focal_loss alpha=0.25 reduction=mean
        focal_loss alpha=None reduction=mean
        ! focal_loss reduction=none: refused: it has one cost for each class of a pixel
        focal_loss alpha reduction=sum gamma
        focal_loss alpha weight reduction
        focal_loss alpha reduction ignore_index
        binary_focal_loss_with_logits reduction=mean : multilabel
        binary_focal_loss_with_logits reduction=mean : soft
        binary_focal_loss_with_logits reduction=sum weight
        binary_focal_loss_with_logits reduction=mean pos_weight
        binary_focal_loss_with_logits reduction=mean ignore_index : multilabel-ignored
        lovasz_hinge_loss
        lovasz_softmax_loss
        lovasz_softmax_loss weight
        HausdorffERLoss
        HausdorffERLoss3D
    """,
    "pytorch": """
        CrossEntropyLoss : labels
        CrossEntropyLoss weight : labels
        CrossEntropyLoss ignore_index
        CrossEntropyLoss label_smoothing
        CrossEntropyLoss reduction=sum weight
        CrossEntropyLoss reduction=none weight ignore_index
        CrossEntropyLoss : soft
        CrossEntropyLoss weight : soft
        ! CrossEntropyLoss with a weight of 0 and label_smoothing: here that class's pixels are left out
        ! CrossEntropyLoss of which nothing is left: NaN there, 0 here
        BCEWithLogitsLoss : soft
        BCEWithLogitsLoss : multilabel
        ! BCEWithLogitsLoss weight=w: refused: CrossEntropyLoss has class_weights=
        BCEWithLogitsLoss pos_weight
        binary_cross_entropy_with_logits weight
        BCELoss : binary-probabilities
        BCELoss : multilabel-probabilities
        ! BCELoss, saturated: its logarithm is cut off at −100 there
        ! NLLLoss: not here: CrossEntropyLoss of the logits is the same
        ! MultiLabelSoftMarginLoss: not here: CrossEntropyLoss(activation='sigmoid') is the same
        ! MSELoss: not here: MeanSquaredErrorLoss is the same
    """,
    "torchvision": """
        sigmoid_focal_loss reduction=mean alpha=-1
        sigmoid_focal_loss
        sigmoid_focal_loss reduction=mean
        sigmoid_focal_loss reduction=sum
        sigmoid_focal_loss : soft
    """,
    "transformers": """
        ForSemanticSegmentationLoss
        ! SegFormer, and CLIPSeg after their resize: resize the logits, then the loss is ForSemanticSegmentationLoss
        ! SegFormer with one label: CrossEntropyLoss(activation='sigmoid', ignore_index=255, divisor='all')
        dice_loss num_masks
        sigmoid_focal_loss num_masks
        sigmoid_cross_entropy_loss num_masks
    """,
    "nnunet": """
        SoftDiceLoss apply_nonlin
        SoftDiceLoss apply_nonlin batch_dice ddp
        SoftDiceLoss apply_nonlin smooth do_bg
        SoftDiceLoss apply_nonlin smooth
        MemoryEfficientSoftDiceLoss apply_nonlin
        MemoryEfficientSoftDiceLoss apply_nonlin batch_dice ddp
        MemoryEfficientSoftDiceLoss apply_nonlin smooth do_bg
        MemoryEfficientSoftDiceLoss apply_nonlin smooth
        DC_and_CE_loss soft_dice_kwargs ce_kwargs
        DC_and_CE_loss soft_dice_kwargs ce_kwargs ignore_label : ignored
        DC_and_CE_loss soft_dice_kwargs ce_kwargs ignore_label : image-ignored
        DC_and_BCE_loss soft_dice_kwargs bce_kwargs
        DC_and_BCE_loss soft_dice_kwargs bce_kwargs use_ignore_label
        DC_and_topk_loss soft_dice_kwargs ce_kwargs
        DC_and_topk_loss soft_dice_kwargs ce_kwargs ignore_label
        TopKLoss weight
        ! SoftDiceLoss clip_tp: refused: leave it out
        ! SoftDiceLoss smooth=0 with neither target nor prediction: 0 there, 1 here
    """,
    "mmseg": """
        CrossEntropyLoss
        CrossEntropyLoss avg_non_ignore ignore_index
        CrossEntropyLoss class_weight
        CrossEntropyLoss ignore_index
        CrossEntropyLoss weight
        CrossEntropyLoss use_sigmoid
        CrossEntropyLoss use_sigmoid ignore_index
        CrossEntropyLoss use_sigmoid avg_non_ignore ignore_index
        DiceLoss
        DiceLoss use_sigmoid
        DiceLoss naive_dice ignore_index
        DiceLoss ignore_index : ignored
        FocalLoss : one-hot
        FocalLoss alpha
        FocalLoss class_weight
        FocalLoss : soft
        TverskyLoss
        TverskyLoss class_weight
        TverskyLoss ignore_index : image-ignored
        LovaszLoss per_image ignore_index
        LovaszLoss per_image class_weight
        LovaszLoss reduction
        OhemCrossEntropy min_kept
        OhemCrossEntropy min_kept thres
        ! BoundaryLoss: not here: the batch's share of foreground weighs it
    """,
    "keras": """
        SparseCategoricalCrossentropy from_logits
        SparseCategoricalCrossentropy from_logits ignore_class
        SparseCategoricalCrossentropy from_logits reduction=sum
        SparseCategoricalCrossentropy from_logits reduction=None
        SparseCategoricalCrossentropy
        CategoricalCrossentropy from_logits
        CategoricalCrossentropy from_logits label_smoothing
        CategoricalCrossentropy from_logits reduction=sum
        CategoricalCrossentropy
        CategoricalCrossentropy : far-one-hot
        BinaryCrossentropy from_logits
        BinaryCrossentropy from_logits label_smoothing
        BinaryCrossentropy : multilabel-probabilities
        BinaryCrossentropy : binary-saturated
        BinaryFocalCrossentropy from_logits
        BinaryFocalCrossentropy from_logits apply_class_balancing
        BinaryFocalCrossentropy : multilabel-probabilities
        BinaryFocalCrossentropy from_logits : soft
        CategoricalFocalCrossentropy from_logits
        CategoricalFocalCrossentropy from_logits alpha gamma
        ! CategoricalFocalCrossentropy label_smoothing: refused: give it the target times 1 - e, plus e / C
        ! CategoricalFocalCrossentropy from_logits, saturated: clipped there, exact here
        ! BinaryFocalCrossentropy from_logits, saturated: clipped there, exact here
        ! BinaryFocalCrossentropy label_smoothing: refused: give it the target times 1 - e, plus e / 2
        Dice axis=[1, 2]
        Dice axis=[0, 1, 2]
        Dice : binary-probabilities
        Dice : multilabel-probabilities
        Dice axis=[1, 2, 3]
        Tversky alpha beta axis=[1, 2]
        Tversky : multilabel-probabilities
        Tversky alpha beta axis=[1, 2, 3]
        MeanSquaredError
        CategoricalGeneralizedCrossEntropy
        ! keras-hub's default: Keras' own CategoricalCrossentropy
    """,
    "keras_cv": """
        FocalLoss from_logits
        BinaryPenaltyReducedFocalCrossEntropy from_logits
    """,
    "optax": """
        softmax_cross_entropy
        softmax_cross_entropy_with_integer_labels
        safe_softmax_cross_entropy
        sigmoid_binary_cross_entropy
        sigmoid_focal_loss
        sigmoid_focal_loss : soft
        ! softmax_cross_entropy where: compared at the call, in test_presets_of_frameworks
        ! smooth_labels: a function of the target: use it, and then softmax_cross_entropy
        dice_loss reduction=none class_weights
        dice_loss
        dice_loss alpha beta
        dice_loss ignore_background
        dice_loss axis=[0, 1, 2]
        dice_loss class_weights
        dice_loss reduction=sum
        ! multiclass_generalized_dice_loss: not here: the batch weighs it; GeneralizedDiceLoss is of each image or class
        ! kl_divergence: not here: cross-entropy less the target's own entropy, which has no gradient
        poly_loss_cross_entropy
    """,
    "qubvel": """
        DiceLoss beta smooth
        DiceLoss
        DiceLoss per_image
        DiceLoss class_indexes=2
        JaccardLoss
        JaccardLoss per_image
        JaccardLoss class_indexes=2
        DiceLoss class_weights=w
        JaccardLoss class_weights=w
        CategoricalCELoss
        CategoricalFocalLoss
        CategoricalCELoss class_weights=w
        BinaryCELoss
        BinaryFocalLoss
        bce_jaccard_loss
        bce_dice_loss
    """,
    "toolbelt": """
        DiceLoss mode=multiclass
        JaccardLoss mode=multiclass
        BinaryFocalLoss
        BinaryFocalLoss ignore_index
        BinaryFocalLoss : soft
        LovaszLoss
        ! CrossEntropyFocalLoss: not here: softmax weighs costs of sigmoid in it
        ! BalancedBCEWithLogitsLoss: not here: the batch's share of foreground weighs it
    """,
}


class Configuration(NamedTuple):
    peer: str
    text: str
    reason: str
    """Why it is not offered; "" if it is."""
    vectors: list[dict[str, Any]]
    """What was recorded of it."""

    @property
    def agrees(self) -> bool:
        """Whether value and gradient are theirs."""
        return any(not vector["gradient_alone"] for vector in self.vectors)


def _fits(words: list[str], inputs: str, vector: dict[str, Any]) -> bool:
    given = {**vector["arguments"], **vector.get("call", {})}
    asked = dict(word.partition("=")[::2] for word in words)
    return (
        given.keys() == asked.keys()
        and inputs in ("", vector["inputs"])
        and all(value in ("", str(given[name]).replace(" ", "")) for name, value in asked.items())
    )


def configurations() -> Iterator[Configuration]:
    vectors = {document["peer"]: document["vectors"] for document in documents()}
    for peer, table in SURVEY.items():
        common = ""
        for line in filter(None, map(str.strip, table.splitlines())):
            if line.startswith("* ="):
                common = line.partition("=")[2].strip()
            elif line.startswith("!"):
                text, _, reason = line[1:].strip().partition(": ")
                yield Configuration(peer, text, reason, [])
            else:
                call, _, inputs = line.replace("*", common).partition(" :")
                name, *words = call.replace("=w", "=[1.0,2.0,3.0,0.5]").replace(", ", ",").split()
                of_loss = [one for one in vectors[peer] if one["name"] == name]
                found = [one for one in of_loss if _fits(words, inputs.strip(), one)]
                yield Configuration(peer, line, "", found)


if __name__ == "__main__":
    found = list(configurations())
    for peer in SURVEY:
        of_peer = [one for one in found if one.peer == peer]
        print(f"{peer}: {sum(one.agrees for one in of_peer)} of {len(of_peer)} agree")
    print(f"all: {sum(one.agrees for one in found)} of {len(found)} agree")
    for one in found:
        if not one.agrees:
            print(f"{one.peer}: {one.text}: {one.reason or 'nothing is recorded'}")
