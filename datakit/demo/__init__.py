"""``datakit demo``: a small domain of its own, two rounds of the loop, a table and a page."""
