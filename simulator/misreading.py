"""How a reading machine misreads old pages: look-alike characters, lost characters, look-alike digits."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Texts = NDArray[np.str_]
Points = NDArray[np.uint32]

# 形近字: each character with the one it is taken for.
_LOOK_ALIKES = (
    "王玉李季张弘刘列陈阵杨扬赵赴吴昊周同徐除孙孔马乌朱未胡湖郭廓何伺林材高亮罗萝郑邓梁粱谢射宋宗唐糖许计韩朝邓郑冯玛曹遭"
    "彭澎曾会肖尚田由董薰潘蟠袁哀蔡察蒋将余佘于干杜社叶吐程呈魏巍吕昌丁于任伍卢芦姚桃沈沉钟种姜美崔催谭潭范苑汪江廖寥石右"
    "金全韦书夏复付什方万邹郅熊能白自孟盂秦泰侯候江汪尹伊薛辟闫间雷霜龙尤黎藜史吏陶淘贺货毛手段缎郝赤龚袭邵召欧殴司同"
    "伟传强弥军车勇男杰木涛祷明朋超起亮高华毕建健国围平干刚钢辉浑鹏腾飞气斌文波坡宁于浩洁宇字志忘文丈海悔峰蜂山出德得福富"
    "成戍庆床东车学字义叉仁仕忠思良艮民氏荣莱光先兴头永水世也宝玉树村春舂生主江汪泽择晨辰轩轮子予俊悛博搏凯剀翔羊昊吴"
    "芳苦娜挪敏每静净丽雨艳绝娟捐霞露秀季英莫玲铃燕热红江梅悔桂挂兰三凤风云去淑椒珍诊萍苹莉利雪雷琳林倩情婷停慧彗颖额佳住"
    "欣欧怡恰悦脱琪棋涵函梦林洁诘晶品丹舟蕾雷薇微爱受美姜香杳月用花化巧功素索贞员翠卒莲连荷何菊鞠琴瑟瑶摇诗诸雨两彤形"
)
_MISTAKEN = dict(zip(_LOOK_ALIKES[::2], _LOOK_ALIKES[1::2], strict=True))
_FROM = np.array(sorted(ord(character) for character in _MISTAKEN), dtype=np.uint32)
_INTO = np.array([ord(_MISTAKEN[chr(point)]) for point in _FROM], dtype=np.uint32)
_LOST = 0.15  # share of misread texts of which a character is lost, not mistaken
_LETTERED = 0.5  # share of misread numbers of 15 digits in which a digit is taken for a letter
_SWAPPED = 0.35  # share of misread dates whose day and month change places, where that is a date
_ZERO = ord("0")
# 1/7, 3/8, 0/6 and others that smudge into each other, by digit.
_DIGITS = np.array([6, 7, 7, 8, 9, 6, 0, 1, 3, 4], dtype=np.uint32) + _ZERO
# Digits taken for letters; 0: for none.
_LETTERS = np.array([ord(it) if it != "-" else 0 for it in "OlZ--Sb-B-"], dtype=np.uint32)
_DATE_PLACES = np.array([2, 3, 6, 9])  # of YYYY-MM-DD: decade, year, and the last digits of month and day


def _points(texts: Texts, width: int) -> Points:
    return np.ascontiguousarray(texts.astype(f"U{width}")).view(np.uint32).reshape(len(texts), width).copy()


def _joined(points: Points) -> Texts:
    rows, width = points.shape
    return np.asarray(np.ascontiguousarray(points).view(f"U{width}").reshape(rows))


def _chosen(allowed: NDArray[np.bool_], rng: Generator) -> NDArray[np.int64]:
    """Return a random allowed column of each row (any where none is)."""
    return np.asarray(np.argmax(np.where(allowed, rng.random(allowed.shape), -1.0), axis=1), dtype=np.int64)


def misread_text(texts: Texts, rng: Generator) -> Texts:
    """Take a character for a look-alike; where none has one, or now and then, lose a character."""
    points = _points(texts, texts.dtype.itemsize // 4 + 1)
    place = np.minimum(np.searchsorted(_FROM, points), len(_FROM) - 1)
    alike = _FROM[place] == points
    row, at = np.arange(len(points)), _chosen(alike, rng)
    lost = ~alike.any(axis=1) | (rng.random(len(points)) < _LOST)
    mistaken = points.copy()
    mistaken[row, at] = _INTO[place[row, at]]
    without = _chosen(points > 0, rng)
    column = np.arange(points.shape[1])
    kept = np.take_along_axis(
        points, np.minimum(column + (column >= without[:, None]), points.shape[1] - 1), axis=1
    )
    return _joined(np.where(lost[:, None], kept, mistaken))


def misread_date(texts: Texts, rng: Generator) -> Texts:
    """Take a digit of YYYY-MM-DD for another, or change day and month; the result need not be a date."""
    points = _points(texts, 10)
    month, day = (((points[:, a] - _ZERO) * 10 + points[:, a + 1] - _ZERO) for a in (5, 8))
    swapped = (day <= 12) & (day != month) & (rng.random(len(points)) < _SWAPPED)
    row, at = np.arange(len(points)), _DATE_PLACES[rng.integers(0, len(_DATE_PLACES), len(points))]
    misread = points.copy()
    misread[row, at] = _DIGITS[points[row, at] - _ZERO]
    turned = points[:, [0, 1, 2, 3, 4, 8, 9, 7, 5, 6]]
    return _joined(np.where(swapped[:, None], turned, misread))


def misread_number(texts: Texts, rng: Generator) -> Texts:
    """Take a digit of a number for another, or in one of 15 now and then for a letter.

    The check of an 18-digit number fails then. One of 15 has none: read with a wrong digit, it looks like
    somebody else's, and may be.
    """
    points = _points(texts, 18)
    row, width = np.arange(len(points)), np.char.str_len(texts)
    digit = np.where((points >= _ZERO) & (points < _ZERO + 10), points - _ZERO, 3)
    lettered = (width == 15) & (rng.random(len(points)) < _LETTERED)
    at = np.where(lettered, _chosen(_LETTERS[digit] > 0, rng), rng.integers(0, width - (width == 18)))
    found = digit[row, at]
    points[row, at] = np.where(lettered, _LETTERS[found], _DIGITS[found])
    return _joined(points)
