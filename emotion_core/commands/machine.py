"""`doctor` and `fetch-detector`: what is here, what is missing and how to get it."""

import argparse
from dataclasses import asdict

from emotion_core.commands.options import runs_of
from emotion_core.commands.output import print_json, print_line
from emotion_core.detection import YunetDetector
from emotion_core.detector_file import fetch_detector
from emotion_core.doctor import Report, examine
from emotion_core.hardware import Gpu
from emotion_core.units import GIGABYTE


def doctor(options: argparse.Namespace) -> None:
    """Examine this machine."""
    report = examine(runs_of(options))
    if options.json:
        print_json(asdict(report))
    else:
        _print_report(report)


def fetch(options: argparse.Namespace) -> None:
    """Fetch the YuNet face detector, unless it is here already."""
    path = fetch_detector()
    if options.json:
        print_json({"detector": YunetDetector.name, "file": str(path)})
    else:
        print_line(f"{path}: the YuNet detector is here, and is used from now on.")


def _print_report(report: Report) -> None:
    print_line(f"version {report.version}, Python {report.python}, {report.system}, {report.processors} processors")
    for package, version in report.packages.items():
        print_line(f"  {package:24} {version or 'not installed'}")
    print_line(f"Keras backends: {', '.join(report.backends) or 'none'}")
    print_line(f"GPUs: {', '.join(map(_describe_gpu, report.gpus)) or 'none from NVIDIA'}")
    print_line(f"backends that see a GPU: {', '.join(report.gpu_backends) or 'none'}")
    print_line(f"slots, with room for one run each: {', '.join(report.slots)}")
    for name, folder in report.folders.items():
        made = "" if folder.exists else ", not created yet"
        access = "writable" if folder.writable else "not writable"
        print_line(f"{name:6} {folder.path} ({access}, {folder.free_gigabytes} GB free{made})")
    print_line(f"face detector: {report.detector}")
    print_line(f"The engine is {'computing' if report.engine_is_working else 'idle'}.")
    for sentence in report.missing or ("Nothing is missing.",):
        print_line(sentence)


def _describe_gpu(gpu: Gpu) -> str:
    major, minor = gpu.capability
    return f"GPU {gpu.index}: {gpu.name}, {gpu.memory_bytes / GIGABYTE:.0f} GB, compute capability {major}.{minor}"
