"""Two processes, each with a part of a batch, give its loss and its gradients, however they are trained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from parts_child import OF_PIXELS, batch, directions, losses, network, trained

from seglosses_torch import CenterLoss, DiceLoss, LocallyAdaptiveLoss, LovaszSoftmaxLoss

CHILD = Path(__file__).parent / "parts_child.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each process has computed. A process that dies is a failure, with what it printed."""
    folder = tmp_path_factory.mktemp("processes")
    children = [
        subprocess.Popen(
            [sys.executable, CHILD, folder, str(rank)],
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        printed = [child.communicate(timeout=240)[0] for child in children]
    finally:
        for child in children:
            child.kill()
    missing = [rank for rank in range(2) if not (folder / f"{rank}.pt").exists()]
    assert not missing, printed[missing[0]]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)]


def of_one_process(name):
    images, labels = batch()
    return trained(network(), losses()[name], images, labels)


def compare(found, name, expected):
    results = [of_rank[name] for of_rank in found]
    for result in results:
        if isinstance(result[0], str):
            pytest.fail("\n".join(result))
    first, second = results
    assert torch.equal(first[0], second[0])
    for result in results:
        for value, right in zip(result, expected, strict=True):
            np.testing.assert_allclose(value.numpy(), right.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", losses())
def test_processes_with_different_images(found, name):
    compare(found, f"images {name}", of_one_process(name))


@pytest.mark.parametrize("name", OF_PIXELS)
def test_processes_with_parts_of_the_same_images(found, name):
    compare(found, f"pixels {name}", of_one_process(name))


@pytest.mark.parametrize(
    "how",
    [
        "formula batch",
        "formula entropy",
        "formula powers",
        "formula ensemble",
        "sum ensemble",
        "func batch",
        *(
            pytest.param(how, marks=pytest.mark.since(torch="2.8"))
            for how in ("compiled batch", "compiled entropy", "inductor batch")
        ),
        "DDP batch",
        pytest.param("FSDP batch", marks=pytest.mark.since(torch="2.6")),
        "empty batch",
        "streamed batch",
    ],
)
def test_every_way_to_train(found, how):
    compare(found, how, of_one_process(how.split()[1]))


@pytest.mark.filterwarnings(
    "ignore:`torch.jit.*` is deprecated:DeprecationWarning"
)  # of torch's own forward mode
def test_forward_mode_and_vmap(found):
    (logits, tangents), labels = directions(), batch()[1]

    def whole(z):
        return losses()["batch"](z, labels)

    value, slope = torch.func.jvp(whole, (logits,), (tangents,))
    compare(found, "transformed", [value, slope, torch.stack([whole(logits), whole(tangents)])])


@pytest.mark.parametrize("kind", ["batch", "entropy"])
@pytest.mark.parametrize("place", ["images", "rows", "classes", "whole"])
def test_logits_that_are_a_dtensor(found, place, kind):
    images, labels = batch()
    logits = network()(images).detach().requires_grad_()
    value = losses()[kind](logits, labels)
    value.backward()
    compare(found, f"DTensor {place} {kind}", [value.detach(), logits.grad])


def test_centers_move_alike(found):
    images, labels = batch()
    loss = CenterLoss(num_classes=3, ignore_index=9).double()
    for _ in range(2):
        loss(network()(images).detach(), labels)
    compare(found, "centers", [loss.centers])


def test_a_bad_label_is_nan_on_every_process(found):
    for of_rank in found:
        assert torch.isnan(of_rank["bad label"][0])


def test_an_error_on_one_process_is_one_on_all(found):
    messages = [of_rank["one fails"][0] for of_rank in found]
    assert messages[0].startswith("ValueError: target must be")
    assert messages[1].startswith("PartsDisagree: ")
    for of_rank in found:
        assert of_rank["another order"][0].startswith("PartsDisagree: ")


def test_copies_share_the_group(found):
    printed, again, refused = found[0]["copies"]
    assert printed == again
    assert "across images=2 ranks" in printed
    assert "cannot be pickled" in refused


def test_what_cannot_be_across_is_refused():
    with pytest.raises(ValueError, match="looks at whole images"):
        LocallyAdaptiveLoss().across(pixels="world")
    with pytest.raises(ValueError, match="aggregate='image'"):
        LovaszSoftmaxLoss().across(images="world")
    with pytest.raises(TypeError, match="'world', a ProcessGroup or a DeviceMesh"):
        DiceLoss().across(images=2)
    with pytest.raises(ValueError, match="needs images= or pixels="):
        DiceLoss().across()
    with pytest.raises(ValueError, match="gradients must be"):
        DiceLoss().across(images="world", gradients="none")
    loss = DiceLoss().across(images="world")
    with pytest.raises(ValueError, match="use across on their sum"):
        loss + DiceLoss()
    with pytest.raises(RuntimeError, match="init_process_group"):
        loss(torch.zeros(1, 2, 3), torch.zeros(1, 3, dtype=torch.int64))
    assert "across" not in repr(loss.alone())


@pytest.mark.parametrize("name", ["batch", "entropy", "powers", "ensemble"])
def test_micro_batches_by_their_statistics(name):
    """One backward over the sum of the statistics, or one for each part with the totals."""
    images, labels = batch()
    expected = of_one_process(name)
    loss, net = losses()[name], network()
    parts = [(images[i : i + 2], labels[i : i + 2]) for i in (0, 2, 4)]
    value = loss.from_statistics(sum(loss.statistics(net(x), y) for x, y in parts))
    value.backward()
    np.testing.assert_allclose(value.detach(), expected[0], rtol=1e-12)
    learnt = [*net.parameters(), *loss.parameters()]
    for parameter, gradient in zip(learnt, expected[1:], strict=True):
        np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-11, atol=1e-13)
    with torch.no_grad():
        totals = sum(loss.statistics(net(x), y) for x, y in parts)
    for parameter in learnt:
        parameter.grad = None
    for x, y in parts:
        loss(net(x), y, totals=totals).backward()
    for parameter, gradient in zip(net.parameters(), expected[1:], strict=False):
        np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-11, atol=1e-13)
