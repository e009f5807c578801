"""What is audited, and with which settings of the trainer: label files, LMDB sets, a PaddleOCR YAML."""

from datakit.audit.inputs.request import Inputs, Request, Trainer
from datakit.audit.inputs.resolve import resolve
from datakit.audit.inputs.source import LabelSource, scan

__all__ = ["Inputs", "LabelSource", "Request", "Trainer", "resolve", "scan"]
