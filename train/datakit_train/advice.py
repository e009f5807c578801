"""What to try next where a run ended with the model that it began with."""

from __future__ import annotations

from datakit.mix import Mix
from datakit_train.schedules import guide_rates
from datakit_train.settings import Settings

# Up to so many times the guide's rate a larger one is worth a try.
_STILL_SMALL = 4.0


def advice(mix: Mix, settings: Settings, *, forgot: bool) -> str:
    """One sentence, of what was not in use; ``forgot``: a guard refused a candidate.

    What helped on real lines is in docs/results.md.
    """
    rate, _late = guide_rates(settings.batch_size)
    given = rate if settings.learning_rate is None else settings.learning_rate
    frozen = [] if settings.freeze == "backbone" else ["--freeze backbone"]
    if forgot:
        tries = (
            [] if any(source.kind == "general" for source in mix.sources) else ["--replay with general lines"]
        )
        tries += [*frozen, f"half the rate (--learning-rate {given / 2:.2g}) and twice the steps"]
        return f"the guards refused what read more of val; against forgetting: {', '.join(tries)}"
    tries = ["more --steps"]
    if given <= _STILL_SMALL * rate:
        also = f" with {frozen[0]}" if frozen else ""
        tries.insert(0, f"a larger --learning-rate (this was {given:.2g}; short runs here took 3e-4{also})")
    return f"no candidate read more of val than the base; to try: {', '.join(tries)}"
