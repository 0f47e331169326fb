"""One SendGrid account, as a run has it.

Belongs here: the client, made when first used, and what is asked through it. Does not: what becomes of the rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from sendgrid_assets.api.client import Client
from sendgrid_assets.api.listing import Listing
from sendgrid_assets.api.parents import Family
from sendgrid_assets.api.permissions import Permissions

if TYPE_CHECKING:
    from sendgrid_assets.api.known import Known
    from sendgrid_assets.catalog.collection import ObjectCollection
    from sendgrid_assets.settings import SourceSettings


class Account:
    """One SendGrid account for the length of a run.

    Attributes:
        source: what the environment says of it.
    """

    def __init__(self, source: SourceSettings) -> None:
        self.source = source
        self._family = Family()

    @cached_property
    def client(self) -> Client:
        """The client, made when first used.

        Raises:
            dagster.Failure: no key is set.
        """
        variable = f"{self.source.prefix}API_KEY"
        if self.source.api_key is None:
            raise dg.Failure(
                f"{variable} is not set: put an API key with read access there, in the environment or in .env.",
                allow_retries=False,
            )
        return Client(
            self.source.api_key.get_secret_value(),
            self.source.api_url,
            on_behalf_of=self.source.on_behalf_of,
            key_variable=variable,
        )

    @cached_property
    def permissions(self) -> Permissions:
        """What the key may do, asked for when something is refused."""
        return Permissions(self.client)

    def listing(self, collection: ObjectCollection, known: Known) -> Listing:
        """Begins to read a collection.

        Args:
            collection: what to read.
            known: what need not be read again.

        Raises:
            SendGridError: as its hierarchy says.
        """
        return Listing(self.client, collection, known, family=self._family, permissions=self.permissions)

    def close(self) -> None:
        """Closes the client, if there is one, and ends what it waits for."""
        if "client" in self.__dict__:
            self.client.close()
