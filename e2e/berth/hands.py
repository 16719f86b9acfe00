"""How a person works a page: with the mouse, or with the keyboard alone.

A story is told once and run with both. The keyboard's way insists on what WCAG 2.2 asks for: each control is reached by
Tab, the focus is seen and not covered (2.4.7, 2.4.11), and no step drops it.
"""

import re
import time

_TAB_MAX = 150
# A dialog that closes gives its focus back a moment later.
_FOCUS_S_MAX = 30
_MOVES_MAX = 60

# Whether the focus is seen: an outline or a shadow on the element, on what is drawn for it, or around it.
_IS_SEEN = """e => {
  const drawn = style => (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  const near = [e, ...(e.parentElement?.children ?? []), e.parentElement, e.parentElement?.parentElement].filter(Boolean);
  const isText = e.matches('input, textarea, [contenteditable]');
  return isText || near.some(each => [null, '::before', '::after'].some(part => drawn(getComputedStyle(each, part))));
}"""
# Whether something lies over the middle of it.
_IS_COVERED = """e => {
  const box = e.getBoundingClientRect();
  const x = Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1);
  const y = Math.min(Math.max(box.y + Math.min(box.height / 2, 20), 1), innerHeight - 1);
  if (box.bottom < 0 || box.top > innerHeight) return 'it is outside of the window';
  const top = document.elementFromPoint(x, y);
  const label = e.closest('label') ?? (e.id && document.querySelector(`label[for="${CSS.escape(e.id)}"]`));
  const isOwn = top && (e.contains(top) || top.contains(e) || label?.contains(top) || top.parentElement?.contains(e));
  return isOwn ? '' : `${top?.outerHTML.slice(0, 200)} lies over it`;
}"""
_HAS_FOCUS = "e => e === document.activeElement || e.contains(document.activeElement)"
# Which way the next element lies: a person sees it.
_IS_BEFORE = """e => {
  const at = document.activeElement;
  return at !== document.body && Boolean(at.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING);
}"""
_HIGHLIGHTED = """() => {
  const at = document.activeElement;
  const id = at.getAttribute('aria-activedescendant');
  const found = id ? document.getElementById(id) : at;
  return found?.innerText ?? '';
}"""


class _Hands:
    def __init__(self, page, server):
        self.page, self.server = page, server

    def named(self, name):
        """A name of this run of the story: both runs meet one server."""
        return f"{name}-{self.name}"


class Mouse(_Hands):
    """Clicks, and types where it has clicked."""

    name = "mouse"

    def press(self, control):
        """A button or a link."""
        control.click()

    def write(self, field, text):
        """In place of what the field holds."""
        field.click()
        field.press("Control+a")
        self.page.keyboard.insert_text(text)

    def check(self, box):
        """A checkbox, or a radio button."""
        box.check()

    def choose(self, trigger, name):
        """An entry of a list or menu that the button opens."""
        trigger.click()
        self._entry(name).click()

    def choose_all(self, trigger, names, find=None):
        """Entries of a list that stays open; `find` is what is typed into its filter."""
        trigger.click()
        if find:
            self.page.keyboard.insert_text(find)
        for name in names:
            self._entry(name).click()
        self.page.press("Escape")

    def turn_to(self, tab):
        """A tab of a row of tabs."""
        tab.click()

    def _entry(self, name):
        page = self.page.raw
        escaped = re.escape(name).replace("/", r"\/")
        name = re.compile(rf"^{escaped}(\s|$)")
        return page.get_by_role("option", name=name).or_(page.get_by_role("menuitem", name=name)).first


class Keyboard(_Hands):
    """Tab, arrows, Enter, Space, Escape and typing."""

    name = "keyboard"

    def reach(self, control):
        """Moves the focus to it, by Tab or Shift+Tab."""
        control.wait_for(state="attached")
        # Asked from here: the content security policy keeps the page from evaluating a condition again by itself.
        end = time.monotonic() + _FOCUS_S_MAX
        while self.page.raw.evaluate("document.activeElement === document.body"):
            assert time.monotonic() < end, "the step before dropped the focus"
            time.sleep(0.02)
        key = "Shift+Tab" if control.evaluate(_IS_BEFORE) and not control.evaluate(_HAS_FOCUS) else "Tab"
        for _ in range(_TAB_MAX):
            if control.evaluate(_HAS_FOCUS):
                break
            self.page.press(key)
        else:
            raise AssertionError(f"{control} cannot be reached by the keyboard; the focus is at {self.page.focused()}")
        focus = self.page.raw.locator(":focus")
        assert focus.evaluate("e => e.matches(':focus-visible')"), f"{control} does not show the focus"
        assert focus.evaluate(_IS_SEEN), f"the focus on {control} is not seen"
        covered = focus.evaluate(_IS_COVERED)
        if covered:
            # What came above it meanwhile may have moved it: a person goes back and forth, and sees it then.
            back, forth = ("Tab", "Shift+Tab") if key == "Shift+Tab" else ("Shift+Tab", "Tab")
            self.page.press(back)
            self.page.press(forth)
            covered = focus.evaluate(_IS_COVERED)
        assert not covered, f"the focus on {control} is covered: {covered}"

    def press(self, control):
        self.reach(control)
        self.page.press("Enter")

    def write(self, field, text):
        self.reach(field)
        self.page.press("Control+a")
        self.page.keyboard.insert_text(text)

    def check(self, box):
        if box.get_attribute("type") != "radio":
            self.reach(box)
            if not box.is_checked():
                self.page.press("Space")
            assert box.is_checked()
            return
        # Tab leads to the group's chosen button, or to its first; the arrows choose another one.
        group = self.page.raw.locator(f"input[type=radio][name='{box.get_attribute('name')}']")
        chosen = group.and_(self.page.raw.locator(":checked"))
        self.reach(chosen.first if chosen.count() else group.first)
        for _ in range(_MOVES_MAX):
            if box.is_checked():
                return
            self.page.press("ArrowDown")
        raise AssertionError(f"{box} cannot be chosen by the keyboard")

    def choose(self, trigger, name):
        self.reach(trigger)
        self.page.press("Enter")
        self._move_to(name)
        self.page.press("Enter")

    def choose_all(self, trigger, names, find=None):
        self.reach(trigger)
        self.page.press("Enter")
        if find:
            self.page.keyboard.insert_text(find)
        for name in names:
            self._move_to(name)
            self.page.press("Enter")
        self.page.press("Escape")

    def turn_to(self, tab):
        row = tab.locator("xpath=ancestor::*[@role='tablist'][1]")
        self.reach(row.locator("[role=tab][aria-selected=true]"))
        for _ in range(_MOVES_MAX):
            if tab.evaluate(_HAS_FOCUS):
                break
            self.page.press("ArrowRight")
        else:
            raise AssertionError(f"{tab} cannot be reached by the keyboard")
        if tab.get_attribute("aria-selected") != "true":
            self.page.press("Enter")

    def _move_to(self, name):
        """Moves through an open list, down to its end and then up."""
        page = self.page.raw
        page.get_by_role("option").or_(page.get_by_role("menuitem")).first.wait_for()
        key, before = "ArrowDown", None
        for _ in range(_MOVES_MAX):
            lines = [line.strip() for line in self.page.evaluate(_HIGHLIGHTED).splitlines()]
            if name in lines:
                return
            if lines == before:
                key = "ArrowUp"
            before = lines
            self.page.press(key)
        raise AssertionError(f"the keyboard does not reach {name!r}; it is at {lines!r}")


BOTH = (Mouse, Keyboard)
