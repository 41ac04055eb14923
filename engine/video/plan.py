"""What a clip will take, before anything is loaded: memory and time in every mode, and the mode to run in. Arithmetic.

Weights are counted exactly: parameters times bytes. What a network holds while it runs was computed by following every
tensor of one pass at full size without data (layout.activation and layout.decode in the catalog); where that was not
done the defaults are guesses. Seconds follow from the arithmetic of the network and the machine's speed at it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.video.catalog import VideoModel

GIGABYTE = 1e9
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
CONTEXT = 0.6e9             # what a CUDA process holds before any tensor
LOOSE = 1.05                # memory lost between tensors
SPARE = 0.4e9               # stays free for the desktop
TILE_AREA = 256 * 256       # of the VAE's tiles, pixels
NOT_STORED_SMALL = 1.04     # what layerwise casting leaves as it is: norms, embeddings
GROUP = 0.12                # share of a denoiser that lies on the GPU at a time when it is offloaded in groups
KEEPING_UP = 0.5           # share of a machine's best speed at a matrix product that a whole network reaches
PCIE, DISK = 12e9, 1.5e9    # bytes in a second
ORDER = ("full", "model_offload", "fp8", "quantised", "group_offload", "disk")     # the fastest first
EXACT = frozenset(("full", "model_offload", "group_offload", "disk"))       # they give the same picture to the last bit


@dataclass(frozen=True)
class Machine:
    """device: cuda, mps or cpu. Bytes; gpu ones 0 without a GPU. flops: operations in a second at a matrix product in
    the model's precision. quantises: whether torchao is installed."""

    device: str
    name: str
    gpu_free: int
    gpu_total: int
    main_free: int
    disk_free: int
    flops: float
    quantises: bool = False


@dataclass(frozen=True)
class Size:
    """What the model is asked for. calls: of the denoiser, a step: 2 with guidance. clips: pieces of a long clip."""

    width: int
    height: int
    num_frames: int
    num_inference_steps: int = 0
    calls: int = 2
    clips: int = 1


@dataclass(frozen=True)
class Mode:
    """gpu, main: bytes at the peak. able: whether this machine has what it needs, else `note` says what is missing.

    tiling: the VAE works in tiles. fits: in the memory that is free now.
    """

    name: str
    gpu: float
    main: float
    seconds: float
    tiling: bool
    able: bool
    fits: bool
    note: str = ""

    def plain(self) -> dict[str, Any]:
        """For people, in gigabytes and seconds."""
        found = asdict(self)
        return found | {"gpu": round(self.gpu / GIGABYTE, 1), "main": round(self.main / GIGABYTE, 1),
                        "seconds": round(self.seconds, 1)}


@dataclass(frozen=True)
class Plan:
    """modes: all of them, in ORDER. chosen: the name of one. dtype: of the arithmetic. warnings: sentences.

    exact: only modes that leave the picture alone may take its place.
    """

    modes: tuple[Mode, ...]
    chosen: str
    dtype: str
    warnings: tuple[str, ...]
    exact: bool = False

    @property
    def mode(self) -> Mode:
        return next(mode for mode in self.modes if mode.name == self.chosen)

    def next_down(self) -> Mode | None:
        """The first mode after the chosen one that this machine can run and that needs less, with tiles; or the same
        mode with tiles; None where nothing is left."""
        now = self.mode
        later = self.modes[self.modes.index(now) + 1 :]
        lower = next((mode for mode in later if mode.able and (mode.gpu, mode.main) < (now.gpu, now.main)
                      and (not self.exact or mode.name in EXACT)), None)
        if lower is None and not now.tiling:
            lower = now
        return lower and replace(lower, tiling=True)


def plan(model: VideoModel, denoisers: Iterable[str], size: Size, machine: Machine, wish: str, speed: str) -> Plan:
    """wish: of MEMORY_MODES, or "auto". denoisers: names among model.parameters. speed: of SPEEDS; "best" is never
    planned into a mode that changes the picture."""
    warnings: list[str] = []
    denoisers, exact = tuple(denoisers), wish == "auto" and speed == "best"
    dtype = "bfloat16" if machine.device != "cpu" else "float32"
    if machine.device == "cpu" and weights(model, dtype) + working(model, size, dtype) > machine.main_free:
        dtype = "bfloat16"
    modes = tuple(_mode(name, model, denoisers, size, machine, dtype) for name in ORDER)
    by_name = {mode.name: mode for mode in modes}
    if wish != "auto":
        chosen = by_name[wish]
        if not chosen.fits:
            warnings.append(f"{model.name} is expected to need {_needs(chosen)} in this mode, more than is free.")
    else:
        allowed = [mode for mode in modes if mode.able and (not exact or mode.name in EXACT)]
        fitting = [mode for mode in allowed if mode.fits]
        # Without tiles where that is to be had: a mode a little slower gives the exact picture. The disk is the last.
        whole = [mode for mode in fitting if not mode.tiling and mode.name != "disk"]
        chosen = next(iter([*whole, *fitting]), None)
        if chosen is None:
            chosen = min(allowed, key=lambda mode: (mode.gpu, mode.main))
            warnings.append(f"{model.name} is expected to need {_needs(chosen)}, more than is free: it may not run. "
                            "A smaller size or fewer seconds help.")
    if chosen.tiling:
        warnings.append("The pictures are decoded in tiles to save memory; tiles can differ faintly.")
    if machine.device == "cpu" and chosen.seconds > 600:
        warnings.append(f"Without a graphics card this takes about {chosen.seconds / 3600:.1f} hours.")
    return Plan(modes, chosen.name, dtype, tuple(warnings), exact)


def tokens(model: VideoModel, size: Size) -> int:
    """Tokens of one pass of the denoiser."""
    cell = model.layout.spatial * model.layout.patch
    frames = (min(size.num_frames, model.layout.piece or size.num_frames) - 1) // model.layout.temporal + 1
    return frames * -(-size.width // cell) * -(-size.height // cell)


def weights(model: VideoModel, dtype: str, parts: Iterable[str] | None = None, own: bool = True) -> float:
    """Bytes of these components, or of all. own: the catalog's dtypes count."""
    return sum(model.parameters[part] * 1e9 * BYTES[model.dtypes.get(part, dtype) if own else dtype]
               for part in (model.parameters if parts is None else parts))


def working(model: VideoModel, size: Size, dtype: str, tiling: bool = False) -> float:
    """Bytes held besides weights, at the worst moment."""
    return max(denoising(model, size, dtype), decoding(model, size, tiling))


def denoising(model: VideoModel, size: Size, dtype: str) -> float:
    return model.layout.activation * tokens(model, size) * model.layout.width * BYTES[dtype]


def decoding(model: VideoModel, size: Size, tiling: bool) -> float:
    pixels = size.width * size.height
    area = min(pixels, TILE_AREA) if tiling else pixels
    clip = pixels * size.num_frames * 3 * 4 * 2     # the frames, and their copy in another layout
    return model.layout.decode * 1e3 * area + clip


def seconds(model: VideoModel, denoisers: Iterable[str], size: Size, machine: Machine) -> float:
    """Of the arithmetic alone: 2 operations a parameter and token, and attention between all tokens."""
    largest = max(model.parameters[part] for part in denoisers) * 1e9
    many, width = tokens(model, size), model.layout.width
    layers = largest / (16 * width * width)      # attention, cross-attention and the net between them
    one = 2 * largest * many + 4 * many * many * width * layers
    pieces = math.ceil(size.num_frames / (model.layout.piece or size.num_frames))
    return one * size.calls * size.num_inference_steps * pieces * size.clips / (machine.flops * KEEPING_UP)


def _mode(
    name: str, model: VideoModel, denoisers: tuple[str, ...], size: Size, machine: Machine, dtype: str
) -> Mode:
    plain = _measures(name, model, denoisers, size, machine, dtype, tiling=False)
    note = _missing(name, machine)
    if _fits(*plain[:2], name, model, machine, dtype):
        return Mode(name, *plain, tiling=False, able=not note, fits=not note, note=note)
    tiled = _measures(name, model, denoisers, size, machine, dtype, tiling=True)
    fits = not note and _fits(*tiled[:2], name, model, machine, dtype)
    return Mode(name, *tiled, tiling=True, able=not note, fits=fits, note=note)


def _measures(
    name: str, model: VideoModel, denoisers: tuple[str, ...], size: Size, machine: Machine, dtype: str, tiling: bool
) -> tuple[float, float, float]:
    """Peak on the GPU, peak in main memory, seconds."""
    everything = weights(model, dtype)
    all_denoisers = weights(model, dtype, denoisers)
    largest = max(weights(model, dtype, [part]) for part in denoisers)
    others = [weights(model, dtype, [part]) for part in model.parameters if part not in denoisers and part != "vae"]
    vae = weights(model, dtype, ["vae"]) if "vae" in model.parameters else 0.0
    drawing, decode = denoising(model, size, dtype), decoding(model, size, tiling)
    small = NOT_STORED_SMALL / BYTES[dtype]
    took = seconds(model, denoisers, size, machine)
    moves = everything / PCIE
    steps = size.num_inference_steps * size.calls * size.clips
    match name:
        case "full":
            gpu, main = everything + max(drawing, decode), 0.1 * everything
        case "model_offload":
            gpu, main, took = max(largest + drawing, vae + decode, *others, 0.0), everything, took + 2 * moves
        case "fp8" | "quantised":
            gpu = max(largest * small + drawing, vae + decode, *others, 0.0)
            main, took = everything - all_denoisers * (1 - small), took * 1.05 + moves
        case "group_offload":
            gpu = max(largest * GROUP + drawing, vae + decode, *(part * GROUP for part in others), 0.0)
            main, took = everything * 1.1, max(took, largest / PCIE * steps) + moves
        case _:
            gpu = max(largest * GROUP + drawing, vae + decode, *(part * GROUP for part in others), 0.0)
            main, took = 2e9 + everything - all_denoisers, max(took, largest / DISK * steps) + everything / DISK
    if machine.device == "cpu":
        resident = {"full": everything, "fp8": everything - all_denoisers * (1 - small),
                    "disk": everything - all_denoisers + largest * GROUP}.get(name, everything)
        return 0.0, resident + max(drawing, decode), took
    return gpu * LOOSE + CONTEXT, main, took


def _fits(gpu: float, main: float, name: str, model: VideoModel, machine: Machine, dtype: str) -> bool:
    disk = name != "disk" or weights(model, dtype) < machine.disk_free
    return (machine.device == "cpu" or gpu <= machine.gpu_free - SPARE) and main <= machine.main_free and disk


def _missing(name: str, machine: Machine) -> str:
    """What this machine lacks for a mode, or ""."""
    if name == "quantised" and not machine.quantises:
        return "It needs the package torchao, which is not installed."
    if name in ("model_offload", "group_offload", "quantised") and machine.device != "cuda":
        return "It needs an NVIDIA graphics card."
    if name in ("fp8", "disk") and machine.device == "mps":
        return "It does not work on an Apple GPU."
    return ""


def _needs(mode: Mode) -> str:
    if mode.gpu:
        return f"{mode.gpu / GIGABYTE:.1f} GB on the graphics card and {mode.main / GIGABYTE:.1f} GB in main memory"
    return f"{mode.main / GIGABYTE:.1f} GB of main memory"
