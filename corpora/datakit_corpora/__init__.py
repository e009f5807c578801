"""Text sources written for this project: seeded templates in English and Chinese; readers of the user's own.

A template is a grammar: a function from ``random.Random`` to one short text.
"""

from __future__ import annotations

from datakit_corpora.files import read_corpus
from datakit_corpora.templates import MAX_LENGTH, TEMPLATES, Template, find_templates, sample_template

__all__ = ["MAX_LENGTH", "TEMPLATES", "Template", "find_templates", "read_corpus", "sample_template"]
