"""HTML pages and what they need: safe text, thumbnails, small charts.

Every page is one file without scripts or requests: Jinja2 with autoescape, a Content-Security-Policy that
allows inline styles and ``data:`` pictures only.
"""

from __future__ import annotations

from datakit.report.charts import rank_frequency
from datakit.report.pages import render
from datakit.report.pictures import thumbnail, thumbnail_or_none
from datakit.report.text import shorten, visible

__all__ = ["rank_frequency", "render", "shorten", "thumbnail", "thumbnail_or_none", "visible"]
