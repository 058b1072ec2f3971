"""The systems that record the economy: market regulator, organisations' office, tax office, credit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from simulator.calendar import compact
from simulator.domains.economy import labels, naming, projections
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Ints
from simulator.writers import Header, write_csv, write_json, write_manifest, write_xml

MARKET = (labels.FIRM, labels.SELF_EMPLOYED, labels.COOPERATIVE)
SOCIAL: Header = (
    ("登记证号", "certificate_no"),
    ("统一社会信用代码", "uscc"),
    ("组织名称", "name"),
    ("组织类型", "form"),
    ("法定代表人", "representative_name"),
    ("成立日期", "established_on"),
    ("状态", "status"),
    ("住所", "address"),
)
INSTITUTION: Header = (
    ("证书编号", "certificate_no"),
    ("统一社会信用代码", "uscc"),
    ("单位名称", "name"),
    ("单位类别", "kind"),
    ("负责人", "representative_name"),
    ("经费来源", "funding"),
    ("成立日期", "established_on"),
    ("状态", "status"),
    ("住所", "address"),
)
TAXPAYER: Header = (
    ("登记序号", "taxpayer_id"),
    ("纳税人识别号", "taxpayer_no"),
    ("纳税人名称", "name"),
    ("纳税人类型", "taxpayer_kind"),
    ("信用等级", "credit_level"),
    ("登记日期", "registered_on"),
    ("状态", "status"),
    ("生产经营地址", "address"),
    ("欠税金额", "arrears"),
    ("欠税起始日期", "arrears_since"),
)
PAYMENT: Header = (
    ("凭证号", "payment_no"),
    ("纳税人识别号", "taxpayer_no"),
    ("纳税人名称", "taxpayer_name"),
    ("税种", "tax"),
    ("所属期", "period"),
    ("金额", "amount"),
    ("缴款期限", "due_on"),
    ("入库日期", "paid_on"),
)
RECORD: Header = (
    ("RecordNo", "record_no"),
    ("SubjectKind", "subject_kind"),
    ("SubjectCode", "subject_code"),
    ("SubjectName", "subject_name"),
    ("RecordKind", "record_kind"),
    ("Category", "category"),
    ("Authority", "authority"),
    ("DecidedOn", "decided_on"),
    ("ValidUntil", "valid_until"),
    ("Amount", "amount"),
    ("RepairsNo", "repairs_no"),
)


def _subjects(*kinds: int) -> Callable[[State], Ints]:
    """Ids of the organisations of some kinds."""

    def every(state: State) -> Ints:
        return np.flatnonzero(naming.of_kinds(state, *kinds)) + 1

    return every


def _about_market(table: str) -> Callable[[State], Ints]:
    """Ids of rows about firms, shops and cooperatives."""

    def every(state: State) -> Ints:
        market = naming.of_kinds(state, *MARKET)
        return np.flatnonzero(market[state[table]["subject"] - 1]) + 1

    return every


def _head(state: State, ids: Ints) -> Ints:
    return state["subject"]["head"][ids - 1].astype(np.int64)


def _nobody(state: State, ids: Ints) -> Ints:
    return np.zeros(len(ids), dtype=np.int64)


def _texts(header: Header) -> tuple[tuple[str, str], ...]:
    return tuple((name, "text") for _, name in header)


_REGULATOR = (
    SourceTable(
        source="market_regulation",
        name="entity",
        key="entity_id",
        columns=st.columns(
            "entity_id:bigint uscc registration_no name entity_kind legal_form representative_name "
            "representative_pid established_on ended_on status capital industry address updated_at:timestamp"
        ),
        every=_subjects(*MARKET),
        project=projections.entity,
        person=_head,
        forms={
            "uscc": "uscc",
            "name": "name",
            "representative_pid": "pid",
            "established_on": "date",
            "capital": "capital",
            "address": "text",
        },
    ),
    SourceTable(
        source="market_regulation",
        name="officer",
        key="officer_id",
        columns=st.columns(
            "officer_id:bigint entity_id pid name role share started_on ended_on updated_at:timestamp"
        ),
        every=_about_market("officer"),
        project=projections.officer,
        person=st.person_of("officer"),
        forms={"pid": "pid", "name": "name", "started_on": "date"},
    ),
    SourceTable(
        source="market_regulation",
        name="change",
        key="change_id",
        columns=st.columns(
            "change_id:bigint entity_id uscc item before after changed_on updated_at:timestamp"
        ),
        every=_about_market("subject_change"),
        project=projections.change,
        person=_nobody,
        forms={"uscc": "uscc", "changed_on": "date"},
    ),
)
_OFFICE = tuple(
    SourceTable(
        source="organisations",
        name=name,
        key="certificate_no",
        columns=_texts(header),
        every=_subjects(*kinds),
        project=project,
        person=_head,
        key_text=st.numbered(prefix),
        forms={"uscc": "uscc", "name": "name", "established_on": "date", "address": "text"},
        stamped=False,
    )
    for name, header, kinds, project, prefix in (
        ("social_organisation", SOCIAL, (labels.SOCIAL,), projections.social, "S"),
        ("institution", INSTITUTION, (labels.INSTITUTION, labels.GOVERNMENT), projections.institution, "Z"),
    )
)
_TAX = (
    SourceTable(
        source="taxation",
        name="taxpayer",
        key="taxpayer_id",
        columns=_texts(TAXPAYER),
        every=st.rows_of("taxpayer"),
        project=projections.taxpayer,
        person=_nobody,
        forms={"taxpayer_no": "number", "name": "name", "registered_on": "date", "address": "text"},
        stamped=False,
    ),
    SourceTable(
        source="taxation",
        name="payment",
        key="payment_no",
        columns=_texts(PAYMENT),
        every=st.rows_of("tax_payment"),
        project=projections.payment,
        person=_nobody,
        forms={"taxpayer_no": "number", "amount": "amount", "paid_on": "date"},
        stamped=False,
        appended=True,
    ),
)
_CREDIT = SourceTable(
    source="credit",
    name="record",
    key="record_no",
    columns=_texts(RECORD),
    every=st.rows_of("credit_record"),
    project=projections.record,
    person=st.person_of("credit_record"),
    key_text=st.numbered("C"),
    forms={"subject_code": "number", "subject_name": "name", "decided_on": "date", "amount": "amount"},
    stamped=False,
)


def _write_organisations(state: State, shown: Shown, folder: Path) -> None:
    for name, header in (("social_organisation", SOCIAL), ("institution", INSTITUTION)):
        write_json(shown.whole(name), header, folder / f"{name}.json")


def _write_taxes(state: State, shown: Shown, folder: Path) -> None:
    """Write the taxpayers as they are, and this step's payments with their manifest."""
    write_csv(shown.whole("taxpayer"), TAXPAYER, folder / "taxpayer.csv")
    payments = shown.written("payment")
    if len(payments):
        day = int(compact(np.array([state.today]))[0])
        path = folder / f"payment_{day}_{state.meta.step:05d}.csv"
        write_csv(payments, PAYMENT, path)
        write_manifest(payments, path)


def _write_credit(state: State, shown: Shown, folder: Path) -> None:
    write_xml(shown.whole("record"), RECORD, folder / "records.xml", "CreditRecords", "Record")


SYSTEMS = (
    System("market_regulation", _REGULATOR),
    System("organisations", _OFFICE, _write_organisations),
    System("taxation", _TAX, _write_taxes),
    System("credit", (_CREDIT,), _write_credit),
)
