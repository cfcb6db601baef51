"""What differs by a clinic's country rather than by language."""

_MONTH_FIRST = frozenset({"US"})


def writes_month_first(country: str) -> bool:
    """Say whether figures of a date are month, day, year in `country` (ISO 3166), as in the United States alone."""
    return country in _MONTH_FIRST
