"""What the stand-in saw: events in order, and every departure from the vendor's behaviour that it noticed."""

import time


class Witness:
    """Events and violations for `GET /state`. Bounded, so that a phone gone wild does not fill the memory."""

    MAX = 2000

    def __init__(self):
        self.began = time.monotonic()
        self.events = []
        self.violations = []

    def event(self, name, **facts):
        if len(self.events) < self.MAX:
            self.events.append({"at_s": round(time.monotonic() - self.began, 3), "name": name, **facts})

    def violation(self, text):
        if len(self.violations) < self.MAX:
            self.violations.append(text)

    def expect(self, good, text):
        """Notes `text` unless `good`; returns `good`."""
        if not good:
            self.violation(text)
        return bool(good)
