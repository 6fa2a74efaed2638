"""Cases, an independent oracle and a runner: do all frameworks compute the losses that the papers define?"""
