"""In which layout images and kernels lie: (N, H, W, C), channels_last, or (N, C, H, W)."""

from __future__ import annotations

import torch


def pick_channels_last(channels_last: bool | str, device: torch.device, precision: str) -> bool:
    """Whether to lay them out as channels_last; of `auto` the kind of machine decides, so that it is the same again.

    GPUs and CPUs with AVX-512 convolve faster in it, and so does bf16. On two AVX2 cores fp32 rounds of few images or
    wide kernels were faster without: pix2pix-256 1.35 s against 1.74, EDSR by 2 53 ms against 59; DCGAN-32 and
    WGAN-GP-32 took as long either way.
    """
    if channels_last != "auto":
        return bool(channels_last)
    slower = device.type == "cpu" and precision == "fp32" and torch.backends.cpu.get_cpu_capability() == "AVX2"
    return not slower
