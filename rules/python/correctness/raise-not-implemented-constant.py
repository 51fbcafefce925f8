import abc


class Shape(abc.ABC):
    def area(self):
        # ruleid: raise-not-implemented-constant
        raise NotImplemented

    def scale(self, factor):
        """Scale in place."""
        # ruleid: raise-not-implemented-constant
        raise NotImplemented("scale")

    @property
    def name(self):
        # ruleid: raise-not-implemented-constant
        raise NotImplemented(
            "a shape has to have a name",
        )

    async def render(self, target):
        try:
            return await target.render(self)
        except AttributeError as err:
            # ruleid: raise-not-implemented-constant
            raise NotImplemented(f"{target!r} can't render") from err

    def load(self, path):
        if path.endswith(".svg"):
            # ruleid: raise-not-implemented-constant
            raise NotImplemented()
        # ruleid: raise-not-implemented-constant
        raise NotImplemented from None

    def __eq__(self, other):
        # ok: raise-not-implemented-constant
        return NotImplemented

    def __lt__(self, other):
        if not isinstance(other, Shape):
            # ok: raise-not-implemented-constant
            return NotImplemented
        # ok: raise-not-implemented-constant
        raise NotImplementedError

    def save(self):
        # ok: raise-not-implemented-constant
        raise NotImplementedError("NotImplemented")

    def compare(self, other):
        # ok: raise-not-implemented-constant
        if self.__eq__(other) is NotImplemented:
            # ok: raise-not-implemented-constant
            raise TypeError(NotImplemented)
        return True
