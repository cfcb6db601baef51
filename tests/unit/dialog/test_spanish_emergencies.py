"""Spanish emergencies, as frightened people say and write them, and what only sounds like one."""

import pytest

from tests.unit.dialog.test_spanish import heard

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "ay dios mío mi viejo se agarró el pecho y se cayó", "siento como un elefante encima del pecho",
        "tengo un dolor que me agarra el pecho y el brazo", "me late muy fuerte el corazón y me falta el aire",
        "creo q me esta dando algo al corazon", "mi papa no puede hablar y se le fue la boca de lado", "a mi abuela se le durmió la mitad del cuerpo",
        "mi tía no mueve la pierna ni el brazo derecho de repente", "no consigo respirar", "me cuesta un montón respirar",
        "mi nena respira súper agitada y se le hunde el pechito", "mi bebé no despierta", "mi hijo se tragó una moneda y no puede respirar",
        "mi hija se atragantó con un caramelo", "se está poniendo azul", "la abuela se desmayó en el baño", "mi mujer perdió el conocimiento",
        "está tirado en el piso y no reacciona", "le está dando un ataque", "está convulsionando mi hermano", "tiene convulsiones por la fiebre",
        "me corté la muñeca y sale mucha sangre", "mi esposa está embarazada y tiene mucho sangrado", "rompí fuente",
        "ya tengo contracciones cada cinco minutos", "estoy vomitando sangre", "me tomé toda la caja de pastillas", "mi hermana se tomó raticida",
        "mi niño bebió cloro", "quiero morirme", "no quiero seguir viviendo", "pienso en matarme", "me voy a matar",
        "mi amigo dice que se va a suicidar", "me quiero hacer daño", "me hinché toda después de comer camarones y no puedo tragar",
        "le picó una avispa y se le hinchó la cara y no respira bien", "tiene la lengua hinchada", "se me cierra la garganta",
        "se cayó del techo y no se mueve", "lo atropellaron", "le dieron un balazo", "se quemó toda la cara con aceite",
        "mi mamá está muy confundida de repente y habla raro", "se me nubló la vista de golpe y no veo", "necesito una ambulancia ya",
        "llame a una ambulancia", "es una emergencia mi hijo se está muriendo", "creo que es un ictus", "le dio un derrame", "tiene un infarto",
        "dolor de pecho fuerte", "me duele el pecho al respirar", "presion en el pecho y sudor frio", "nesesito ayuda mi papa no respira",
        "m duele el pecho muxo", "me falta la respiracion", "se desmallo mi esposa", "mi bebe esta ardiendo en fiebre y no reacciona",
        "tengo el cuello tieso y fiebre muy alta", "se golpeó la cabeza y vomita", "se electrocutó mi marido", "se está ahogando", "me asfixio",
        "no tiene pulso", "se le ve el hueso", "me estoy desangrando", "no siento las piernas", "quiero acabar con mi vida",
    ],
)  # fmt: skip
def test_an_emergency_is_heard_however_it_is_said(text: str) -> None:
    assert "red" in heard(text)


@pytest.mark.parametrize(
    "text",
    [
        "tengo una mancha en el pecho", "me duele el hombro desde hace un mes",
        "quiero una cita con el cardiólogo para mi papá, tuvo un infarto hace dos años", "es para control de la presión",
        "me sangran las encías cuando me cepillo", "estoy embarazada y quiero una cita", "me ahogo de calor en la sala de espera",
        "tengo alergia al polvo", "mi hijo tiene alergia en la piel", "se me durmió el brazo de dormir mal", "quiero vacunarme contra la meningitis",
        "quiero hacerme un chequeo del corazón", "me cuesta dormir", "tengo la nariz tapada y no respiro bien por la nariz",
        "me duele la cabeza un poco", "mi abuelo murió de un derrame", "tengo miedo al dentista", "me muero de la vergüenza pero necesito cancelar",
        "es urgente, necesito una cita hoy", "la emergencia fue ayer, ya está bien", "no es ninguna emergencia", "quiero quitarme un lunar",
        "quiero quitarme la muela", "me quiero quitar la duda del precio", "me golpeé la rodilla jugando", "me cayó mal la comida",
        "se me fue el aire acondicionado, no puedo ir", "estoy ahogada de trabajo, cambie mi cita", "necesito aire, digo, necesito cita",
        "me quitaron sangre ayer", "cuánto cuesta el análisis de sangre", "me van a sacar mucha sangre", "voy a matar el tiempo mientras llego",
        "casi me da un infarto con el precio", "corta la llamada", "se corta la llamada", "me corté el pelo", "mi jefe me mata si falto",
    ],
)  # fmt: skip
def test_what_only_sounds_like_an_emergency_raises_no_alarm(text: str) -> None:
    assert "red" not in heard(text)
