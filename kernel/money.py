"""Amounts in minor units with their currency."""

import re
from dataclasses import dataclass
from decimal import Decimal

_FORM = re.compile(r"^(\d+)(?:\.(\d{1,2}))? ([A-Z]{3})$")


@dataclass(frozen=True)
class Money:
    amount_minor: int
    currency: str  # ISO 4217; all with two decimals, which holds for the countries we serve

    @classmethod
    def parse(cls, text: str) -> "Money":
        """Read "95.00 USD". Raises ValueError for anything else."""
        match = _FORM.match(text.strip())
        if not match:
            raise ValueError(f"not an amount like 95.00 USD: {text!r}")
        whole, cents, currency = match.groups()
        return cls(int(whole) * 100 + int((cents or "0").ljust(2, "0")), currency)

    def __str__(self) -> str:
        return f"{Decimal(self.amount_minor) / 100:.2f} {self.currency}"
