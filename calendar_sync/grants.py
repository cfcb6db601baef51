"""Access that its owner gave us by OAuth, as it is kept in a link: encrypted there, in one text."""

import json
from dataclasses import asdict, dataclass, field

from kernel.errors import Malformed

GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


@dataclass(frozen=True)
class OAuthGrant:
    """What access tokens are got with. It lasts until its owner takes it back."""

    refresh_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str = GOOGLE_TOKENS

    def as_secret(self) -> str:
        """Return the text that `read_grant` reads."""
        return json.dumps(asdict(self), sort_keys=True)


def read_grant(secret: str) -> OAuthGrant:
    """Read what `as_secret` wrote. Raises Malformed."""
    try:
        stored = json.loads(secret)
        return OAuthGrant(
            **{name: str(stored[name]) for name in ("refresh_token", "client_id", "client_secret", "token_url")}
        )
    except (ValueError, TypeError, KeyError):
        raise Malformed("the link holds no OAuth grant") from None
