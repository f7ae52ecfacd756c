"""Features of a flight that are known before it departs, and whether it came late."""

from collections.abc import Mapping

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
HOUR = 60
HHMM = 100


class LateFlights(BaseModel):
    """The parameters of these features; all others in `spec.parameters` go to the estimator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    late_after_minutes: int = Field(default=15, ge=0, description="A flight is late if it arrives later than this.")


def features(df: pd.DataFrame, inputs: Mapping[str, pd.DataFrame], params: LateFlights) -> pd.DataFrame:
    """One row per flight that arrived: plan, weather at the origin in the hour of departure, and `late`.

    Nothing that is known only once the flight is under way may become a feature: dep_time, dep_delay, air_time and
    arr_time stay out, arr_delay makes the answer only. Cancelled and diverted flights have no answer and are left out.
    """
    arrived = df[df["arr_delay"].notna()]
    weather = inputs["weather"].assign(time_hour=lambda each: pd.to_datetime(each["time_hour"], utc=True))
    date = pd.to_datetime(arrived[["year", "month", "day"]])
    plan = pd.DataFrame(
        {
            "carrier": arrived["carrier"],
            "origin": arrived["origin"],
            "dest": arrived["dest"],
            "distance": arrived["distance"],
            "weekday": date.dt.day_name(),
            "departure_minute": arrived["hour"] * HOUR + arrived["minute"],
            "arrival_minute": arrived["sched_arr_time"] // HHMM * HOUR + arrived["sched_arr_time"] % HHMM,
            "time_hour": pd.to_datetime(arrived["time_hour"], utc=True),
            "late": arrived["arr_delay"] > params.late_after_minutes,
        }
    )
    joined = plan.merge(weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left")
    return joined.drop(columns="time_hour")
