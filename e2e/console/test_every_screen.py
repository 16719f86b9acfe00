"""Every screen of a filled account in both themes, at 360 and 1,440 pixels and at 200 % zoom: axe finds nothing, and nothing lies
beside the window; and each has its pictures in the documentation."""

import pathlib

import pytest

from berth.browser import NARROW, WIDE
from berth.showcase import VIEWS, check_views, fill

# What 1,280 by 720 pixels are at 200 % (WCAG 2.2, 1.4.4).
ZOOMED = {"width": 640, "height": 360}
PICTURES = pathlib.Path(__file__).parents[2] / "docs/console"


@pytest.fixture(scope="module")
def filled(root):
    return fill(root)


def test_each_screen_has_its_two_pictures():
    check_views()
    missing = [f"{view.name}-{theme}.png" for view in VIEWS for theme in ("light", "dark")
               if not (PICTURES / f"{view.name}-{theme}.png").is_file()]
    assert not missing, f"run `cargo xtask screenshots`: docs/console lacks {missing}"


#: Tabs and pages without a picture.
OTHERS = ["/users/alice?tab=groups", "/users/alice?tab=tags", "/users/alice?tab=lastAccessed", "/roles/ci?tab=sessions",
          "/identity-providers/create?kind=saml", "/there/is/nothing"]
#: A page takes another theme and another width a moment after the browser has it.
_SETTLED = """dark => new Promise(resolve => {
  const look = left => requestAnimationFrame(() => requestAnimationFrame(() =>
    document.body.classList.contains('awsui-dark-mode') === dark || left === 0 ? setTimeout(resolve, 100) : look(left - 1)));
  look(300);
})"""
SIZES = {"wide": WIDE, "narrow": NARROW, "at 200 %": ZOOMED}


def settle(page, theme):
    """Waits until the page shows the theme, and its tables have seen how wide they are."""
    page.evaluate(_SETTLED, theme == "dark")


@pytest.mark.parametrize("third", range(3))
def test_each_screen_is_accessible_in_every_size_and_theme(browser, root, filled, third):
    page = browser.page(expect_refusals=True).sign_in(root)
    # Colours that change step by step are none of the theme's.
    page.emulate_media(reduced_motion="reduce")
    found = []
    places = [(view.name, filled.address(view), view.ready) for view in VIEWS] + [(path, path, None) for path in OTHERS]
    for name, address, ready in places[third::3]:
        page.set_viewport_size(WIDE)
        page.open(address)
        if ready:
            page.get_by_text(ready).first.wait_for()
        page.wait_for_load_state("networkidle")
        if page.get_by_role("heading", level=1).count() != 1:
            found.append(f"{name}: has not one h1")
        for size, pixels in SIZES.items():
            page.set_viewport_size(pixels)
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                settle(page, theme)
                try:
                    page.axe()
                except AssertionError as error:
                    found.append(f"{name}, {size}, {theme}: {error}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                found.append(f"{name}, {size}: scrolls sideways by {wide} px")
    assert not found, "\n".join(found)
    page.check()
