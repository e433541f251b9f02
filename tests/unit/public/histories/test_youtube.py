"""YouTube Studio's exports of its advanced mode, in the shapes of real ones."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from footlights.public.histories import viewers, views
from footlights.public.histories.reading import Told
from tests import exports
from tests.exports import plain, read, zipped

HEAD = (
    "Content", "Video title", "Video publish time", "Duration", "Average view duration",
    "Average percentage viewed (%)",
    "Unique viewers", "Estimated revenue (USD)", "Views", "Watch time (hours)", "Subscribers", "Impressions",
    "Impressions click-through rate (%)",
)  # fmt: skip
ROWS = [
    ("Total", "", "", "", "0:01:28", "50.92", "0", "12.5", "1500", "100.5", "9", "20000", "5.2"),
    ("UObM30FGdSs", "A lamp, lit", "Feb 15, 2025", "45", "0:01:05", "146.19", "", "12.25", "1000", "70.25", "7",
     "12000", "6.1"),
    (" -grZ-uQ2U7w", "Another", "", "75", "1:00:59", "", "", "", "400", "30.125", "-1", "8000", "--"),
    ("WpEsJWK1Awo", "Unseen", "Mar 3, 2026", "40", "", "", "", "", "", "", "", "1", "0"),
]  # fmt: skip


def test_a_table_of_videos_is_read_beside_its_own_total(tmp_path: Path) -> None:
    reading = read({"Table data.csv": plain([HEAD, *ROWS])})
    (table,) = reading.tables
    assert (table.report.source, table.report.kind, table.report.rows) == ("YouTube", "videos", 3)
    sums = {each.metric: (each.rows, each.total) for each in table.report.sums}
    assert sums["view_count"] == (1400, 1500)
    assert sums["total_time_watched"] == (361_350_000, 361_800_000)
    assert sums["net_followers"] == (6, 9)
    with exports.history_of({"Table data.csv": plain([HEAD, *ROWS])}, tmp_path / "h.db") as history:
        found = views.overview(history, "YouTube", days=28)
        assert (found.basis, found.figures["view_count"].value) == ("total", 1500)
        assert found.figures["total_time_watched"].value == 361_800
        assert found.figures["average_percentage_viewed"].value == 5092
        assert "unique_viewers" not in found.figures, "a total of 0 over empty cells is no number"
        first = views.one(history, "YouTube", "UObM30FGdSs")
        assert first.posted_at == "2025-02-15T00:00:00Z" and first.duration_ms == 45_000
        assert first.figures["average_time_watched"].value == 65_000
        assert first.figures["average_percentage_viewed"].value == 14_619, "above 100 % where viewers watch again"
        unseen = views.one(history, "YouTube", "WpEsJWK1Awo")
        assert "view_count" not in unseen.figures and unseen.figures["impressions"].value == 1


def test_days_come_from_totals_and_countries_from_the_table_and_namibia_is_a_country(tmp_path: Path) -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(60)]
    files = {
        "Totals.csv": plain([("Date", "Views"), *((day, 100 + n) for n, day in enumerate(days))]),
        "Chart data.csv": plain(
            [("Date", "Geography", "Views"), *((day, code, 10) for code in ("NA", "US") for day in days)]
        ),
        "Table data.csv": plain(
            [("Geography", "Views", "Average view duration", "Watch time (hours)"), ("Total", 7770, "0:04:34", "9.1"),
             ("US", 5000, "0:05:42", "8.0"), ("NA", 586, "0:04:02", "0.5"), ("VG", 0, "", "")]
        ),
    }  # fmt: skip
    packed = {"Geography 2026-01-01_2026-03-01 A channel.zip": zipped(files)}
    with exports.history_of(packed, tmp_path / "h.db") as history:
        (table,) = viewers.audience(history, "YouTube")
        assert {cell.key["country"]: cell.figure.value for cell in table.cells} == {"US": 5000, "NA": 586, "VG": 0}
        found = views.overview(history, "YouTube", days=28)
        assert (found.basis, found.since, found.until) == ("days", "2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z")
        assert found.figures["view_count"].value == sum(range(132, 160))
        gain = found.gains["view_count"]
        assert (gain.before, gain.change) == (sum(range(104, 132)), 28 * 28)
        assert len(found.curve.points) == 28


def test_years_are_a_curve_too_and_the_year_that_runs_ends_with_the_export(tmp_path: Path) -> None:
    rows = [("Date", "Average view duration"), ("2024", "0:01:35"), ("2025", "0:01:26"), ("2026", "0:04:35")]
    with exports.history_of({"Totals.csv": plain(rows)}, tmp_path / "h.db") as history:
        found = views.overview(history, "YouTube", days=28)
        curve = found.curve
        assert (found.basis, found.figures) == ("total", {}), "averages of years are told, and add up to nothing"
        assert [point.value for point in curve.points] == [95_000, 86_000, 275_000]
        assert curve.points[-1].as_of == "2026-03-02T00:00:00Z"


def test_a_videos_days_are_its_curve_and_their_sum_its_total(tmp_path: Path) -> None:
    rows = [("Date", "Content", "Video title", "Views")]
    rows += [(f"2026-02-{day:02d}", "UObM30FGdSs", "Lamp", str(day)) for day in range(1, 11)]
    with exports.history_of({"Chart data.csv": plain(rows)}, tmp_path / "h.db") as history:
        (video,) = views.listed(history, "YouTube")
        assert video.figures["view_count"].value == 55
        curve = views.video_curve(history, "YouTube", video.id, "view_count")
        assert curve.kind == "change" and [point.value for point in curve.points] == list(range(1, 11))


def test_a_share_of_views_is_never_taken_for_a_number_of_views() -> None:
    (table,) = read({"Table data.csv": plain([("Viewer age", "Views (%)"), ("18-24", "46.2"), ("65+", "3.1")])}).tables
    assert {(n.metric, n.cell, n.value) for n in table.numbers} == {
        ("view_ages", "18-24", 462_000), ("view_ages", "65+", 31_000),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "head"),
    [
        ("de", "Videos;Videotitel;Veröffentlichungszeitpunkt des Videos;Dauer;Aufrufe;"
               "Wiedergabezeit (Stunden);Abonnenten;Impressionen;Klickrate der Impressionen (%)"),
        ("ja", "コンテンツ;動画のタイトル;動画公開時刻;長さ;視聴回数;"
               "総再生時間（単位: 時間）;チャンネル登録者;"
               "インプレッション数;インプレッションのクリック率 (%)"),
        ("pt", "Conteúdo;Título do vídeo;Horário de publicação do vídeo;Duração;Visualizações;"
               "Tempo de exibição (horas);Inscritos;Impressões;Taxa de cliques de impressões (%)"),
        ("fr", "Contenu;Titre de la vidéo;Heure de publication de la vidéo;Durée;Vues;"
               "Durée de visionnage (heures);Abonnés;Impressions;Taux de clics par impression (%)"),
        ("es", "Contenido;Título del vídeo;Hora de publicación del vídeo;Duración;Visualizaciones;"
               "Tiempo de visualización (horas);Suscriptores;Impresiones;Porcentaje de clics de las impresiones (%)"),
    ],
)  # fmt: skip
def test_the_same_table_in_other_languages_says_the_same(language: str, head: str) -> None:
    total = {"de": "Gesamt", "ja": "合計"}.get(language, "Total")
    body = [
        f"{total};;;;1500;100,5;9;20000;5,2",
        "UObM30FGdSs;Lampe;2025-02-15;45;1000;70,25;7;12000;6,1",
        "WpEsJWK1Awo;Licht;2025-03-01;60;400;30,125;-1;8000;--",
    ]
    (table,) = read({"a.csv": "\n".join([head, *body]).encode()}).tables
    assert (table.report.language, table.report.source, table.report.rows) == (language, "YouTube", 2)
    assert {each.metric: (each.rows, each.total) for each in table.report.sums} == {
        "view_count": (1400, 1500), "total_time_watched": (361_350_000, 361_800_000), "net_followers": (6, 9),
        "impressions": (20_000, 20_000),
    }  # fmt: skip


def test_money_is_kept_apart_by_its_currency() -> None:
    rows = [("Content", "Views", "Estimated revenue (EUR)"), ("UObM30FGdSs", 5, "1.25"), ("WpEsJWK1Awo", 5, "0.5")]
    (table,) = read({"Table data.csv": plain(rows)}).tables
    assert {(n.axis, n.cell, n.value) for n in table.numbers if n.metric == "estimated_revenue"} == {
        ("currency", "EUR", 1_250_000), ("currency", "EUR", 500_000),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "head"),
    [
        ("en", "Content,Video title,Video publish time,Duration,Views,Engaged views,Watch time (hours),"
               "Subscribers gained,Thumbnail impressions,"
               "Thumbnail click-through rate (%),Average percentage viewed (%)"),
        ("pt", "Conteúdo,Título do vídeo,Horário de publicação do vídeo,Duração,Visualizações,"
               "Visualizações intencionais,Tempo de exibição (horas),Inscrições obtidas,Impressões de miniaturas,"
               "Taxa de cliques na miniatura (%),Porcentagem visualizada média (%)"),
        ("es", "Contenido,Título del video,Tiempo de publicación del video,Duración,Vistas,"
               "Visualizaciones con interacción,Tiempo de reproducción (horas),Suscriptores obtenidos,"
               "Impresiones de miniaturas,Tasa de clics de las miniaturas (%),Porcentaje promedio reproducido (%)"),
        ("ja", "コンテンツ,動画のタイトル,動画公開時刻,長さ,視聴回数,エンゲージ ビュー,総再生時間（単位: 時間）,"
               "登録者増加数,サムネイルのインプレッション,サムネイルのクリック率 (%),平均視聴率 (%)"),
    ],
)  # fmt: skip
def test_the_columns_that_youtube_renamed_in_2026_are_known_in_both_their_names(language: str, head: str) -> None:
    rows = f'{head}\nUObM30FGdSs,A lamp,"Feb 15, 2025",45,1000,900,14.1867,7,12000,6.1,46.53\n'
    (table,) = read({"a.csv": rows.encode()}).tables
    assert table.report.language == language and all(column.means for column in table.report.columns)
    assert {(n.metric, n.value) for n in table.numbers} == {
        ("view_count", 1000), ("engaged_views", 900), ("total_time_watched", 51_072_120), ("new_followers", 7),
        ("impressions", 12_000), ("impressions_click_through_rate", 61_000), ("average_percentage_viewed", 465_300),
    }  # fmt: skip
    assert table.videos[0].posted_at_utc == 1_739_577_600


@pytest.mark.parametrize("said", ["Showing top 500 results", "Mostrando los 500 resultados principales"])
@pytest.mark.parametrize(("axis", "cell"), [("Content", "UObM30FGdSs"), ("Date", "2026-02-01"), ("Geography", "US")])
def test_a_table_that_ends_at_500_rows_says_so_and_its_last_line_is_no_row(said: str, axis: str, cell: str) -> None:
    rows = [(axis, "Views", "Watch time (hours)"), ("Total", 12, "1.5"), (cell, 10, "1.5"), (said, "", "")]
    (table,) = read({"Table data.csv": plain(rows)}).tables
    assert (table.report.rows, table.report.missing, table.report.unread) == (1, 0, 0)
    assert [video.id for video in table.videos] == (["UObM30FGdSs"] if axis == "Content" else [])
    assert any(said in str(each) for each in table.report.notes)


def test_a_last_row_of_a_country_an_age_or_a_day_without_figures_is_still_a_row() -> None:
    for axis, cell in (("Geography", "VG"), ("Viewer age", "65+ years"), ("Date", "2026-02-02"), ("Date", "2026")):
        rows = [(axis, "Views"), ("US" if axis == "Geography" else "2026-02-01", 10), (cell, "")]
        (table,) = read({"a.csv": plain(rows)}).tables
        assert not any("last row" in str(each) for each in table.report.notes), cell


def test_days_that_stand_a_week_apart_are_weeks_and_no_days(tmp_path: Path) -> None:
    weeks = [date(2026, 1, 4) + timedelta(days=7 * week) for week in range(9)]
    rows = [("Date", "Views"), *((day, 70) for day in weeks)]
    (table,) = read({"Totals.csv": plain(rows)}).tables
    assert table.report.by == ("week",) and any("seven days" in str(each) for each in table.report.notes)
    first, last = table.numbers[0], table.numbers[-1]
    assert (first.until_utc - first.since_utc, last.until_utc - last.since_utc) == (7 * 86_400, 2 * 86_400)
    assert table.report.last_day == "2026-03-01", "the week that runs ends with the export"
    with exports.history_of({"Totals.csv": plain(rows)}, tmp_path / "h.db") as history:
        found = views.overview(history, "YouTube", days=28)
        assert (found.basis, found.figures["view_count"].value, len(found.curve.points)) == ("total", 630, 9)
    (daily,) = read({"Totals.csv": plain([("Date", "Views"), ("2026-01-04", 1), ("2026-01-11", 1)])}).tables
    assert daily.report.by == ("day",), "two days may well be a week apart"


def test_a_file_that_does_not_tell_its_platform_says_which_it_is_taken_for() -> None:
    (table,) = read({"Totals.csv": plain([("Date", "Views"), ("2026-02-01", 1)])}).tables
    assert table.report.source == "YouTube" and any("platform" in str(each) for each in table.report.notes)
    (told,) = read({"Totals.csv": plain([("Date", "Views"), ("2026-02-01", 1)])}, told=Told(source="TikTok")).tables
    assert told.report.source == "TikTok" and not told.report.notes


def test_hours_with_three_decimals_are_no_thousands_where_the_file_shows_its_point_elsewhere() -> None:
    head = "Videos,Videotitel,Dauer,Aufrufe,Wiedergabezeit (Stunden),Klickrate der Impressionen (%)"
    rows = f"{head}\nUObM30FGdSs,Lampe,45,1000,100.123,6.1\nWpEsJWK1Awo,Licht,60,400,30.125,5.25\n"
    (table,) = read({"Tabellendaten.csv": rows.encode()}).tables
    assert table.report.language == "de"
    assert {each.metric: each.rows for each in table.report.sums}["total_time_watched"] == 468_892_800
