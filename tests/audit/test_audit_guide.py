"""Sizes and ratios against the guide."""

from __future__ import annotations

import pytest

from datakit.audit.epoch import epoch, epoch_lines
from datakit.audit.guide import guide
from datakit.audit.stats import SourceStats


def source(kind, lines, ratio=1.0, kept=None):
    return SourceStats(f"{kind or 'own'}.txt", kind, ratio, lines, lines if kept is None else kept)


def codes(*sources, task="rec", **known):
    return [code for code, _ in guide(sources, task, **known)]


@pytest.mark.parametrize(("kept", "expected"), [(4999, ["guide-rec-size"]), (5000, [])])
def test_rec_needs_5000_kept_lines(kept, expected):
    assert codes(source("", 6000, kept=kept)) == expected


@pytest.mark.parametrize(("kept", "expected"), [(499, ["guide-det-size"]), (500, [])])
def test_det_needs_500_kept_pages(kept, expected):
    assert codes(source("", 600, kept=kept), task="det") == expected


def test_a_repeated_set_is_not_larger():
    assert "guide-rec-size" in codes(source("domain", 1000, ratio=6.0))


def test_general_lines_do_not_count_towards_the_size():
    message = dict(guide([source("domain", 4000), source("general", 4000)], "rec"))["guide-rec-size"]
    assert (
        message == "4,000 lines of the domain are kept, the guide asks for 5,000 at least: 1,000 are missing"
    )


def test_a_new_dictionary_is_said_with_the_figures():
    message = dict(guide([source("", 9000)], "rec", new_dictionary=True, dictionary=120))
    assert "(120 characters)" in message["guide-new-dictionary"]
    assert "9,000 lines are kept" in message["guide-new-dictionary"]


def test_an_epoch_takes_lines_times_ratio_rounded_as_paddleocr_does():
    counted = epoch([source("domain", 10), source("general", 1000, 0.1), source("synthetic", 7, 2.3)], "rec")
    assert [part.drawn for part in counted.sources] == [10, 100, 16]


def test_lost_lines_are_not_trained():
    counted = epoch([source("domain", 1000, 0.5, kept=900)], "rec")
    assert (counted.sources[0].drawn, counted.sources[0].trained) == (500, 450)
    assert "450 of 900 kept lines" in epoch_lines(counted)[0]


def test_the_guides_own_example_is_within_its_ranges():
    found = guide([source("domain", 10_000), source("general", 100_000, 0.1)], "rec")
    assert found == [
        (
            "guide-epoch",
            "20,000 lines: 10,000 of 10,000 from domain.txt at 1, 10,000 of 100,000 from general.txt at 0.1",
        )
    ]


@pytest.mark.parametrize(
    ("general", "reported"), [(2999, True), (3000, False), (12_000, False), (12_001, True)]
)
def test_domain_to_general(general, reported):
    assert ("guide-domain-general" in codes(source("domain", 6000), source("general", general))) == reported


@pytest.mark.parametrize(
    ("synthetic", "code"),
    [
        (599, "guide-synthetic-little"),
        (600, None),
        (1200, None),
        (1201, "guide-synthetic-between"),
        (5999, "guide-synthetic-between"),
        (6000, None),
        (18_000, None),
        (18_001, "guide-synthetic-much"),
    ],
)
def test_real_to_synthetic(synthetic, code):
    known = [source("domain", 3000), source("general", 3000), source("synthetic", synthetic)]
    said = [found for found in codes(*known) if found.startswith("guide-synthetic")]
    assert said == ([code] if code else [])


def test_badcases_are_real_lines_and_not_more_data():
    counted = epoch([source("domain", 5000), source("badcases", 300, 2.0)], "rec")
    assert (counted.domain, counted.own) == (5600, 5000)


def test_a_mix_without_general_lines():
    assert "guide-no-general" in codes(source("domain", 6000), source("synthetic", 1000))
    assert "guide-no-general" not in codes(source("", 6000), source("", 6000))


def test_a_source_that_gives_nothing():
    message = dict(guide([source("domain", 6000), source("general", 4, 0.1)], "rec"))["guide-not-drawn"]
    assert message == "general.txt: nothing is trained from its 4 lines (4 kept) at ratio 0.1"


def test_an_empty_source_does_not_divide_by_zero():
    assert epoch([source("domain", 0)], "rec").sources[0].trained == 0
