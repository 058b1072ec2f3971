"""Property: homes and who owns them, contracts, the provident fund, power, water, gas and heat."""

from __future__ import annotations

from simulator.domains.domain import Domain
from simulator.domains.property import contracts, fund, homes, ledger_files, meters, registers, titles
from simulator.domains.property.schema import SCHEMA
from simulator.domains.property.truth import truth
from simulator.rates import Rates
from simulator.state import State

_NAME = "property"


def _found(state: State, rates: Rates) -> None:
    own, rng = rates.of(_NAME), state.rng_of(_NAME)
    homes.settle(state, own, rng)
    fund.open_city(state, own, rng)
    titles.register_city(state, own, rng)
    contracts.sign_city(state, rng)
    fund.lend_city(state, own, rng)
    meters.connect_city(state, own, rng)


def _change(state: State, rates: Rates) -> None:
    own, rng = rates.of(_NAME), state.rng_of(_NAME)
    homes.leave_homes(state)
    new_homes = contracts.house_the_homeless(state, rng)
    contracts.sell_some(state, own, rng)
    contracts.cancel_some(state, own, rng)
    sold = contracts.transfer_today(state, own, rng)
    titles.estates_settled_today(state, own, rng)
    titles.release_today(state, own, rng)
    fund.pass_day(state, own, rng)
    meters.pass_day(state, own, new_homes, sold, rng)


DOMAIN = Domain(_NAME, SCHEMA, _found, _change, (*registers.SYSTEMS, *ledger_files.SYSTEMS), truth)
