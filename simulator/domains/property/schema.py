"""The property tables of the city's truth, and the labels of their coded columns."""

from __future__ import annotations

import numpy as np

from simulator.state import Schema

I32, I64, I8, BOOL = np.int32, np.int64, np.int8, np.bool_

# Areas in hundredths of a square metre, months since 1970, power in tenths of a kWh, water and gas in
# hundredths of a cubic metre; "household" is the one that lives there, "firm" the one that
# has its shop there (0: nobody), "since" the day since when.
SCHEMA: Schema = {
    "property_home": {
        "village": I32, "building": I32, "place": I32, "form": I8, "area": I32, "built": I32,
        "household": I32, "firm": I32, "since": I32,
    },
    "property_title": {
        "home": I32, "person": I32, "firm": I32, "share": I8, "way": I8, "acquired": I32, "lost": I32,
    },
    "property_mortgage": {
        "home": I32, "person": I32, "lender": I8, "amount": I64, "started": I32, "months": I32,
        "released": I32,
    },
    "property_contract": {
        "home": I32, "kind": I8, "seller": I32, "seller_firm": I32, "buyer": I32, "signed": I32,
        "amount": I64, "starts": I32, "ends": I32, "transfer": I32, "void": BOOL,
    },
    "fund_account": {
        "person": I32, "firm": I32, "opened": I32, "deposit": I64, "balance": I64, "state": I8,
        "paid_until": I32,
    },
    "fund_loan": {
        "mortgage": I32, "paid": I32, "overdue": I8, "ended": I32,
    },
    "power_account": {"home": I32, "firm": I32, "person": I32, "opened": I32, "closed": I32},
    "power_usage": {"account": I32, "month": I32, "quantity": I32},
    "utility_account": {"home": I32, "kind": I8, "person": I32, "opened": I32, "closed": I32},
    "utility_usage": {"account": I32, "month": I32, "quantity": I32},
}  # fmt: skip

HOUSE, FLAT, SHOP = range(3)
USES = ("住宅", "住宅", "商业服务")

WAYS = ("首次登记", "买卖", "继承")
FIRST, BOUGHT, INHERITED = range(3)

LENDERS = ("住房公积金管理中心", "中国工商银行", "中国农业银行", "中国建设银行", "农村商业银行")
FUND = 0

CONTRACT_KINDS = ("新建商品房买卖", "存量房买卖", "房屋租赁")
NEW_SALE, RESALE, RENT = range(3)

FUND_STATES = ("正常", "封存", "销户")
ACTIVE, SEALED, CLOSED = range(3)

UTILITIES = ("供水", "供气", "供热")
WATER, GAS, HEAT = range(3)
