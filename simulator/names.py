"""Chinese names, frequency-weighted so that namesakes exist."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.table import Column, Ints
from simulator.text import Strings, join, pick

# Commonest surnames of China in order of frequency (Ministry of Public Security, 2020); some of two
# characters.
SURNAMES = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金贾韦夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛段郝顾龚邵",
    "欧阳",
    "上官",
    "司徒",
    "诸葛",
)
_MALE = tuple(
    "伟强军勇杰涛明超亮华建国平刚辉鹏飞斌波宁浩宇志文海峰林山德福成龙庆东学义仁忠良民荣光兴永世宝玉树春生江泽晨轩子俊博凯翔昊"
)
_FEMALE = tuple(
    "芳娜敏静丽艳娟霞秀英玲燕红梅桂兰凤云淑珍玉华萍莉雪琳倩婷慧颖佳欣怡悦琪涵梦洁晶丹蕾薇爱美香月春花巧素贞翠莲荷菊琴瑶诗雨彤"
)
GIVEN = tuple(dict.fromkeys((*_MALE, *_FEMALE)))
_SINGLE_GIVEN = 0.18  # share of names with one given character


def _weights(count: int, steepness: float) -> Column:
    weights: Column = 1.0 / np.arange(1, count + 1) ** steepness
    return np.asarray(weights / weights.sum())


def _draw(pool: tuple[str, ...], count: int, rng: Generator) -> Ints:
    places = np.array([GIVEN.index(character) for character in pool], dtype=np.int64)
    return places[rng.choice(len(places), size=count, p=_weights(len(places), 0.45))]


def given_names(sexes: Column, rng: Generator) -> tuple[Ints, Ints]:
    """Return first and second given character as positions in GIVEN; -1 where there is no second."""
    count = len(sexes)
    male = np.asarray(sexes) == 1
    first, second = (np.where(male, _draw(_MALE, count, rng), _draw(_FEMALE, count, rng)) for _ in range(2))
    return first, np.where(rng.random(count) < _SINGLE_GIVEN, -1, second)


def surnames(count: int, rng: Generator) -> Ints:
    """Return positions in SURNAMES."""
    return np.asarray(rng.choice(len(SURNAMES), size=count, p=_weights(len(SURNAMES), 0.8)))


def full_names(surname: Column, first: Column, second: Column) -> Strings:
    """Return the names as text of 2–4 characters."""
    no_second = len(GIVEN)
    return join(
        pick(SURNAMES, surname),
        pick(GIVEN, first),
        pick((*GIVEN, ""), np.where(second < 0, no_second, second)),
    )
