"""The running product for tests over HTTP: the real application on a real server, with a clinic and a clock that stands."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import requests
from sqlalchemy import func, select

from booking.clinic_file import import_clinic, parse
from frontdesk.app import create_app
from frontdesk.bootstrap import Services, build
from frontdesk.schema import migrate
from kernel.config import load_settings
from kernel.db import Base
from kernel.telephony import SIGNATURE_HEADER, TwilioAccount, sign
from kernel.work import Database
from tests.support.processes import free_port
from tests.support.web_server import serving

CLINIC_FILE = Path(__file__).parents[1] / "scenarios" / "clinics" / "elm.yaml"
CLINIC_NUMBER = "+12125550100"
ANN = "+12125550123"
NOW = "2027-03-10T10:00:00-05:00"  # a Wednesday
SECRET = "a secret of the tests, long enough for anything"


def environment(*, data_dir: Path, database_url: str, redis_url: str, port: int, **more: str) -> dict[str, str]:
    """Return what a process of the product is told, and nothing of what the test runner was told."""
    return {
        "FRONTDESK_DATA": str(data_dir),
        "FRONTDESK_SECRET_KEY": SECRET,
        "FRONTDESK_NOW": NOW,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        **more,
    }


def seed(database: Database, *, services: Services) -> None:
    """Make the tables and the clinic of the scenarios."""
    migrate(database.engine)
    file = parse(CLINIC_FILE.read_text(encoding="utf-8"), path=str(CLINIC_FILE))
    database.run(lambda work: import_clinic(work, file, now=services.clock.now()))


@dataclass(frozen=True)
class Product:
    """The product at an address. Requests are sealed as the vendor seals them unless a test breaks the seal."""

    base_url: str
    account: TwilioAccount
    services: Services

    def post(self, target: str, fields: Mapping[str, str], *, signature: str | None = None) -> requests.Response:
        """Send what the vendor would send."""
        fields = {"AccountSid": self.account.sid, **fields}
        if signature is None:
            signature = sign(self.account, url=self.base_url + target, params=fields)
        return requests.post(
            self.base_url + target,
            data=fields,
            headers={SIGNATURE_HEADER: signature},
            timeout=60,
            allow_redirects=False,
        )

    def text(self, body: str, *, sid: str | None = None, caller: str = ANN, to: str = CLINIC_NUMBER) -> str:
        """Text the clinic and return the reply; fails unless it is good TwiML."""
        fields = {"MessageSid": sid or f"SM{uuid.uuid4().hex}", "From": caller, "To": to, "Body": body}
        return "\n".join(element.text or "" for element in twiml(self.post("/twilio/sms", fields)).iter("Message"))

    def call(self, *, caller: str = ANN) -> "CallUnderTest":
        """Call the clinic."""
        return CallUnderTest(self, caller=caller)

    def row_counts(self) -> dict[str, int]:
        """Count the rows of every table."""
        with self.services.db.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }


class CallUnderTest:
    """A call, turn by turn, at the addresses that the product gives in its answers."""

    def __init__(self, product: Product, *, caller: str) -> None:
        self._product = product
        self._fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": caller, "To": CLINIC_NUMBER}
        self.answer = twiml(product.post("/twilio/voice", {**self._fields, "CallStatus": "ringing"}))

    @property
    def heard(self) -> str:
        return " ".join(element.text or "" for element in self.answer.iter("Say"))

    def say(self, words: str) -> str:
        self.answer = twiml(self.send({"SpeechResult": words, "Confidence": "0.9"}))
        while (redirect := self.answer.find("Redirect")) is not None:  # the answer takes a moment
            fields = {**self._fields, "CallStatus": "in-progress"}
            self.answer = twiml(self._product.post(redirect.text or "", fields))
        return self.heard

    def send(self, fields: Mapping[str, str]) -> requests.Response:
        """Send the next turn and return the bare answer, so that it can be sent again."""
        gather = self.answer.find(".//Gather")
        assert gather is not None, "nothing is asked any more"
        target = gather.attrib["action"].removeprefix(self._product.base_url)
        return self._product.post(target, {**self._fields, "CallStatus": "in-progress", **fields})

    def hang_up(self) -> None:
        self._product.post("/twilio/voice/status", {**self._fields, "CallStatus": "completed"}).raise_for_status()


def twiml(response: requests.Response) -> ET.Element:
    """Return the document; fails unless the vendor could use it."""
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    assert response.headers["Content-Type"].split(";")[0] in {"text/xml", "application/xml"}
    return ET.fromstring(response.content)


@contextlib.contextmanager
def running_product(*, data_dir: Path, database_url: str, redis_url: str, **more: str) -> Iterator[Product]:
    """Serve the product on a free port until the block ends, without a worker."""
    port = free_port()
    env = environment(data_dir=data_dir, database_url=database_url, redis_url=redis_url, port=port, **more)
    settings = load_settings(env)
    services = build(settings)
    seed(services.db, services=services)
    try:
        with serving(create_app(services), port=port):
            yield Product(base_url=settings.public_base_url, account=settings.twilio, services=services)
    finally:
        services.close()


def stored(product: Product, kind: Any) -> list[Any]:
    """Return all rows of a kind."""
    with product.services.db.read() as session:
        return list(session.scalars(select(kind)))
