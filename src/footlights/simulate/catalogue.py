"""Catalogue. The simulated platform's creators: made-up people, with what they film. No one here exists."""

from __future__ import annotations

import msgspec


class Persona(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up creator.

    frames: titles with a place for a subject. home: country that sees more of them. taste: how much likelier viewers
    of that home, gender, age bracket or interest are to be shown them.
    """

    handle: str
    name: str
    home: str
    taste: dict[str, float]
    hashtags: tuple[str, ...]
    sounds: tuple[str, ...]
    frames: tuple[str, ...]
    subjects: tuple[str, ...]


#: The first is the star: the platform's most watched creator.
PERSONAS: tuple[Persona, ...] = (
    Persona(
        handle="oven.and.oar", name="Oven & Oar", home="US",
        taste={"US": 1.4, "female": 1.5, "25-34": 1.5, "food": 3.0, "home": 1.8},
        hashtags=("cooking", "weeknight", "onepan", "foodtok", "recipe", "bread"),
        sounds=("Kettle Song - Low Tide Trio", "Original sound - Oven & Oar", "Slow Sunday - Marrow & Moss"),
        frames=("{}, the weeknight way", "I tested five ways to make {}", "{} for one", "What goes wrong with {}",
                "{}, cooked on a boat"),
        subjects=("shakshuka", "focaccia", "crème brûlée", "ramen eggs", "lemon risotto", "cinnamon buns",
                  "smash burgers", "miso salmon"),
    ),
    Persona(
        handle="trueing.stand", name="The Trueing Stand", home="GB",
        taste={"GB": 3.0, "male": 1.8, "35-44": 1.6, "cars": 3.0, "sports": 1.6, "technology": 1.6},
        hashtags=("bikerepair", "cycling", "restoration", "commute", "tools"),
        sounds=("Original sound - The Trueing Stand", "Freewheel - Night Depot"),
        frames=("Restoring {}", "{}: fixed in four minutes", "Never do this to {}", "What {} really costs"),
        subjects=("a 1978 steel tourer", "a seized bottom bracket", "a bent rim", "hydraulic brakes",
                  "a hub gear", "a rusty chain", "a folding bike"),
    ),
    Persona(
        handle="nachthimmel", name="Nachthimmel", home="DE",
        taste={"DE": 4.0, "18-24": 1.3, "45-54": 1.5, "science": 5.0, "technology": 2.0},
        hashtags=("astronomy", "nightsky", "telescope", "milkyway", "aurora"),
        sounds=("Perihelion - Glass Orchard", "Original sound - Nachthimmel"),
        frames=("{} above the city", "How I photographed {}", "{} in 60 seconds", "{}: what you really see"),
        subjects=("Saturn", "the Orion nebula", "the Perseids", "Jupiter's moons", "the Milky Way",
                  "a lunar eclipse", "Andromeda"),
    ),
    Persona(
        handle="wheel.thrown", name="Wheel Thrown", home="SE",
        taste={"SE": 4.0, "female": 1.9, "55-64": 1.7, "art": 5.0, "home": 2.5},
        hashtags=("pottery", "ceramics", "handmade", "glaze", "asmr"),
        sounds=("Clay - The Quiet Rooms", "Original sound - Wheel Thrown"),
        frames=("Throwing {}", "{}: the glaze test", "Opening the kiln: {}", "My worst mistake with {}"),
        subjects=("a moon jar", "twelve espresso cups", "a teapot lid", "a celadon bowl", "raku tiles",
                  "a very tall vase"),
    ),
    Persona(
        handle="cage.futsal", name="Cage Futsal", home="BR",
        taste={"BR": 6.0, "male": 2.2, "13-17": 2.2, "sports": 4.0, "fitness": 1.5},
        hashtags=("futsal", "football", "skills", "streetfootball", "panna"),
        sounds=("Quadra - Baile do Norte", "Original sound - Cage Futsal"),
        frames=("{} in slow motion", "Learn {} today", "{} or nothing", "Defending {}"),
        subjects=("the elastico", "a toe-poke finish", "the wall pass", "the no-look pass", "the sole roll"),
    ),
    Persona(
        handle="second.seam", name="Second Seam", home="FR",
        taste={"FR": 6.0, "female": 2.4, "18-24": 1.6, "fashion": 4.0, "art": 2.0},
        hashtags=("thrift", "sewing", "upcycling", "mending", "visiblemending"),
        sounds=("Bobine - Petite Vitesse", "Original sound - Second Seam"),
        frames=("From curtain to {}", "{} for four euros", "Mending {}", "{}, taken in by hand"),
        subjects=("a summer coat", "wide trousers", "a quilted vest", "a linen shirt", "a denim skirt"),
    ),
)  # fmt: skip
