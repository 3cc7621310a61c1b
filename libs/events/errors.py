"""How an error is told to a person."""


def told(error: BaseException) -> str:
    """Its type and its text, in one line. aiokafka's texts have the type in front already, and an error that
    only says that the time was up has no text.
    """
    name, text = type(error).__name__, " ".join(str(error).split())
    if not text and isinstance(error, TimeoutError):
        text = "no answer in time"
    if not text or text.startswith(name):
        return text or name
    return f"{name}: {text}"
