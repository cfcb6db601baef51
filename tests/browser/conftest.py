from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.product import Product, running_product


@pytest.fixture
def product(tmp_path: Path, redis_url: str) -> Iterator[Product]:
    """The demo clinic's product, running."""
    with running_product(data_dir=tmp_path, redis_url=redis_url) as running:
        yield running
