# SPDX-License-Identifier: MIT
"""The page in a real browser: signing in, taking a message, answering it, sending one, on a phone too."""

import os
import shutil
import unittest

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from serving import ServerCase

WAIT_S = 20
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"]
# Nothing is to move under the pointer of a test.
ARGUMENTS += ["--force-prefers-reduced-motion"]


def start_browser(width, height):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in [*ARGUMENTS, f"--window-size={width},{height}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Page(ServerCase):
    """Each test has a person and a role of its own, beside the sample."""

    sample = True
    tests_begun = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = start_browser(1280, 900)
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        Page.tests_begun += 1
        self.me, self.role = f"me-{Page.tests_begun}", f"page/role-{Page.tests_begun}"
        person = {"name": self.me, "kind": "person", "display": f"Person {Page.tests_begun}"}
        self.expect(201, self.post("/v1/actors", person))
        body = {"name": self.role, "parent": "office", "holders": [self.me]}
        self.expect(201, self.post("/v1/roles", body))
        self.browser.set_window_size(1280, 900)
        self.browser.get(self.server.url + "/")
        self.browser.execute_script("sessionStorage.clear()")

    def tearDown(self):
        # Nothing that the page's own policy forbids was tried, and no script failed.
        for line in self.browser.get_log("browser"):
            self.assertNotIn("Content Security Policy", line["message"])
            self.assertNotEqual(line["source"], "javascript", line)

    # --- finding things -----------------------------------------------------------------------------------

    def wait(self, condition, what):
        # What was found may be drawn anew before it is looked at: then it is looked for again.
        waiting = WebDriverWait(self.browser, WAIT_S, ignored_exceptions=[StaleElementReferenceException])
        return waiting.until(lambda _: condition(), what)

    def find(self, selector, text=""):
        """The first visible element of that kind with that text."""

        def seen():
            for element in self.browser.find_elements(By.CSS_SELECTOR, selector):
                if element.is_displayed() and text in element.text:
                    return element
            return None

        return self.wait(seen, f"{selector} {text!r}")

    def field(self, label):
        element = self.find("label", label)
        return self.browser.find_element(By.ID, element.get_attribute("for"))

    def press(self, text):
        self.find("button", text).click()

    def sign_in(self):
        """With a token in the address, as an administrator's link has it."""
        token = self.expect(201, self.post("/v1/tokens", {"actor": self.me}))["token"]
        self.browser.get(f"{self.server.url}/#token={token}")
        self.find("h2", "Your work")

    def pass_hours(self, hours):
        """So much later in the page, which looks again."""
        self.browser.execute_script(
            """const now = Date.now, later = arguments[0] * 3600000;
               Date.now = () => now() + later;
               document.dispatchEvent(new Event('visibilitychange'));""", hours)

    # --- facts --------------------------------------------------------------------------------------------

    def test_the_token_is_taken_from_the_address_and_removed_from_it(self):
        self.sign_in()
        self.wait(lambda: "token" not in self.browser.current_url, "the token to be gone")
        self.find(".who", "Person")
        self.browser.refresh()
        self.find(".who", "Person")
        self.press("Sign out")
        self.field("Your token")
        self.assertIsNone(self.browser.execute_script("return sessionStorage.getItem('troupe.token')"))

    def test_an_unknown_token_is_said_to_be(self):
        self.browser.refresh()
        self.field("Your token").send_keys("nonsense", Keys.ENTER)
        self.find(".notice.bad", "does not know this token")

    def test_a_message_is_taken_and_answered(self):
        self.send(self.role, "Voucher SPRING10 is taken twice", "sofie", body="Line one\n\nLine *two*")
        self.send(self.role, "Something else", "sofie")
        self.sign_in()
        self.find("#work", "2 messages wait")
        self.press("Take the next message")
        self.find("#work h3", "Voucher SPRING10 is taken twice")
        self.find("#work .body", "Line one\n\nLine *two*")
        self.field("Your reply").send_keys("It is off.\nThank you!")
        self.press("Done")
        self.find("#work .notice.good", "Done. sofie has your answer.")
        self.find("#work", "1 message waits")
        (answer,) = self.take("sofie", role="@sofie", wait_ms=5000)
        self.assertEqual((answer["body"], answer["from"]), ("It is off.\nThank you!", self.me))
        self.expect(200, self.post("/v1/done", {"id": answer["id"]}, "sofie"))

    def test_an_answer_is_read_and_put_away(self):
        self.send("office", "A wish", self.me)
        (message,) = self.take("mara", role="office")
        self.expect(200, self.post("/v1/done", {"id": message["id"], "reply": "Granted."}, "mara"))
        self.sign_in()
        self.press("Take the next message")
        self.find("#work .facts", "What you asked office is done. Answered by mara")
        self.find("#work .body", "Granted.")
        self.press("Put away")
        self.find("#work", "Nothing waits for you.")

    def test_a_message_is_declined_with_a_reason(self):
        self.send(self.role, "Open the door", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.find("#work h3", "Open the door")
        self.press("Decline…")
        self.field("Why not?").send_keys("Not without a name.")
        self.press("Decline")
        self.find("#work .notice.good", "Declined. ben was told why.")

    def test_a_message_is_forwarded(self):
        self.send(self.role, "For the office", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.press("Forward…")
        form = self.find("#work form")
        form.find_element(By.CSS_SELECTOR, "input").send_keys("@mara")
        form.find_element(By.CSS_SELECTOR, "textarea").send_keys("Yours.")
        self.press("Forward")
        self.find("#work .notice.good", "Forwarded to @mara.")
        (message,) = self.take("mara", role="@mara", wait_ms=5000)
        self.assertEqual((message["subject"], message["note"]), ("For the office", "Yours."))
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, "mara"))

    def test_a_message_is_put_off(self):
        self.send(self.role, "Not today", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.press("Later…")
        until = self.field("When is it to come back?")
        self.browser.execute_script("arguments[0].value = '2099-12-31T17:00'", until)
        self.press("Put off")
        self.find("#work .notice.bad")  # a year ahead is the most
        set_to = """const at = new Date(Date.now() + 86400000);
            at.setMinutes(at.getMinutes() - at.getTimezoneOffset());
            arguments[0].value = at.toISOString().slice(0, 16);"""
        self.browser.execute_script(set_to, until)
        self.press("Put off")
        self.find("#work .notice.good", "Put off until")
        role = self.get(f"/v1/role?name={self.role}", self.me).json
        self.assertEqual((role["parked"], role["held"]), (1, 0))

    def test_a_message_that_went_wrong_is_its_supervisors(self):
        self.send(self.role, "Beyond me", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.press("It failed…")
        self.field("What went wrong?").send_keys("The hinge is gone.")
        self.press("Say that it failed")
        self.find("#work .notice.good", "Its supervisor decides what follows.")
        (told,) = self.take("mara", role="office", wait_ms=5000)
        self.assertEqual((told["kind"], told["note"]), ("escalation", "The hinge is gone."))
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "mara"))

    def test_a_notice_says_which_role_it_is_about_and_is_put_away(self):
        below = f"{self.role}/nobodys"
        self.expect(201, self.post("/v1/roles", {"name": below, "parent": self.role, "holders": []}))
        self.send(below, "Is anybody there?", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.find("#work .facts", f"About {below}, told to {self.role}")
        self.assertEqual(self.get("/v1/inbox", self.me).json["held"][0]["from"], below)
        self.press("Put away")
        self.find("#work .notice.good", "Put away.")

    def test_what_failed_below_is_sent_back_by_its_supervisor(self):
        below = f"{self.role}/below"
        body = {"name": below, "parent": self.role, "holders": ["tomas"]}
        self.expect(201, self.post("/v1/roles", body))
        self.send(below, "Too hard", "ben")
        (message,) = self.take("tomas", role=below)
        self.expect(200, self.post("/v1/fail", {"id": message["id"], "reason": "No idea."}, "tomas"))
        self.sign_in()
        self.press("Take the next message")
        self.find("#work .facts", f"Escalated from {below} to {self.role}")
        self.find("#work .note", "Why it failed:\nNo idea.")
        self.find("#work .hint", "It goes to whoever sent it, in")  # ben, not tomas, who failed
        self.press("Try again there")
        self.find("#work .notice.good", f"It is back in the queue of {below}.")
        (again,) = self.take("tomas", role=below, wait_ms=5000)
        self.assertEqual(again["id"], message["id"])
        self.expect(200, self.post("/v1/done", {"id": again["id"]}, "tomas"))

    def test_whoever_sent_what_failed_below_is_answered(self):
        below, asker = f"{self.role}/below", f"{self.me}-asks"
        self.expect(201, self.post("/v1/actors", {"name": asker, "kind": "person"}))
        self.expect(201, self.post("/v1/roles", {"name": below, "parent": self.role, "holders": ["tomas"]}))
        for subject in ("Too hard", "Too heavy"):
            self.send(below, subject, asker)
            (message,) = self.take("tomas", role=below)
            self.expect(200, self.post("/v1/fail", {"id": message["id"], "reason": "No idea."}, "tomas"))
        self.sign_in()
        self.press("Take the next message")
        self.field("Your reply").send_keys("Done it myself.")
        self.press("Done")
        self.find("#work .notice.good", "Done. Whoever sent it has your answer.")
        self.press("Take the next message")
        self.press("Decline…")
        self.find("#work .hint", "Whoever sent it reads this.")
        self.field("Why not?").send_keys("Too heavy for me too.")
        self.press("Decline")
        self.find("#work .notice.good", "Declined. Whoever sent it was told why.")
        for body in ("Done it myself.", "Too heavy for me too."):
            (answer,) = self.take(asker, role=f"@{asker}", wait_ms=5000)
            self.assertEqual((answer["body"], answer["from"]), (body, self.me))
            self.expect(200, self.post("/v1/done", {"id": answer["id"]}, asker))

    def test_a_message_is_sent_and_its_receipt_shown(self):
        self.sign_in()
        self.find("#send h2")
        send = self.browser.find_element(By.ID, "send")
        send.find_element(By.NAME, "to").send_keys(self.role)
        send.find_element(By.NAME, "subject").send_keys("A dead link")
        send.find_element(By.NAME, "body").send_keys("On the first page.")
        send.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        self.find("#send .notice.good", f"Accepted by {self.role}. It is number 1 in the queue.")
        (message,) = self.take(self.me)
        self.assertEqual((message["subject"], message["from"]), ("A dead link", self.me))

    def test_a_full_mailbox_is_said_and_one_may_insist(self):
        tiny = f"{self.role}/tiny"
        body = {"name": tiny, "parent": self.role, "holders": ["ben"], "capacity": 1}
        self.expect(201, self.post("/v1/roles", body))
        self.send(tiny, who="mara", reply=False)
        self.sign_in()
        self.find("#send h2")
        send = self.browser.find_element(By.ID, "send")
        send.find_element(By.NAME, "to").send_keys(tiny)
        send.find_element(By.NAME, "subject").send_keys("It matters", Keys.ENTER)
        self.find("#send .notice.bad", f"The mailbox of {tiny} is full.")
        self.press("Send it all the same")
        self.find("#send .notice.good", f"Accepted by {tiny}. It is number 2 in the queue.")
        for _ in range(2):
            (message,) = self.take("ben", role=tiny, wait_ms=5000)
            self.expect(200, self.post("/v1/done", {"id": message["id"]}, "ben"))
        self.send(tiny, who="mara", reply=False)
        (message,) = self.take("ben", role=tiny, wait_ms=5000)
        self.browser.find_element(By.CSS_SELECTOR, ".roles input[type=search]").send_keys(tiny)
        self.pass_hours(0)
        self.find(".tree .load.full", "1 held")  # nothing waits there, and nothing more is taken in
        self.press(tiny)
        self.find(".detail", "1 of 1 taken")
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, "ben"))

    def test_a_redirected_message_is_not_said_to_be_accepted(self):
        tiny = f"{self.role}/tiny"
        body = {"name": tiny, "parent": self.role, "holders": ["ben"], "capacity": 1,
                "overflow": "redirect", "redirect_to": self.role}
        self.expect(201, self.post("/v1/roles", body))
        self.send(tiny, who="mara")
        self.sign_in()
        self.find("#send h2")
        send = self.browser.find_element(By.ID, "send")
        send.find_element(By.NAME, "to").send_keys(tiny)
        send.find_element(By.NAME, "subject").send_keys("Goes elsewhere", Keys.ENTER)
        self.find("#send .notice.bad", f"The mailbox of {tiny} is full.")
        subject = send.find_element(By.NAME, "subject")
        self.assertEqual(subject.get_attribute("value"), "Goes elsewhere")
        self.press(f"Send it to {self.role}")
        self.find("#send .notice.good", f"Accepted by {self.role}. It is number 1 in the queue.")
        self.assertEqual(self.take(self.me)[0]["subject"], "Goes elsewhere")

    def test_messages_are_shown_as_text_whatever_they_contain(self):
        evil = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
        self.send(self.role, evil, "mara", body=f"{evil}\n</script>", attachments=f"one.pdf\n{evil}")
        self.sign_in()
        self.press("Take the next message")
        self.find("#work .note", f"Attached:\none.pdf\n{evil}")
        self.find("#work h3", evil)
        self.find("#work .body", evil)
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, "#work img, #work .body b"), [])
        self.assertEqual(self.browser.title, "Troupe")

    def test_the_tree_shows_loads_and_vacancies_and_can_be_searched(self):
        self.sign_in()
        team = self.find(".tree .row", "shop")
        if team.get_attribute("aria-expanded") == "false":  # as it is when the tests have made many roles
            team.click()
        self.find(".tree .row", "search")
        self.find(".tree .vacant", "vacant")
        self.find(".tree .load", "waiting")
        box = self.browser.find_element(By.CSS_SELECTOR, ".roles input[type=search]")
        box.send_keys("refund")
        self.wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, ".tree > li")) == 1, "one role")
        self.press("payments/refunds")
        self.find(".detail", "Supervisor")
        self.press("Write to this role")
        to = self.browser.find_element(By.CSS_SELECTOR, "#send [name=to]")
        self.assertEqual(to.get_attribute("value"), "payments/refunds")

    def test_an_administrator_chooses_whom_to_act_for(self):
        self.send(self.role, "For whom it is", "ben")
        self.browser.get(f"{self.server.url}/#token={self.server.token}")
        as_field = self.find("#act-as")
        as_field.click()
        as_field.send_keys(self.me, Keys.ENTER)
        self.find("#work", "1 message waits")
        self.press("Take the next message")
        self.find("#work h3", "For whom it is")
        self.assertEqual(self.get("/v1/inbox", self.me).json["held"][0]["holder"], self.me)

    def test_what_is_typed_survives_a_refresh_of_what_is_shown(self):
        self.send(self.role, "Slow typing", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.field("Your reply").send_keys("half a sen")
        before = self.find(".roles .hint").text
        self.send("platform/servers", "meanwhile", "ben")
        self.wait(lambda: self.find(".roles .hint").text != before, "the page to have asked again")
        self.field("Your reply").send_keys("tence")
        self.assertEqual(self.field("Your reply").get_attribute("value"), "half a sentence")
        self.press("Done")
        self.find("#work .notice.good", "Done.")

    def test_ages_go_on_while_the_page_is_looked_at(self):
        self.send(self.role, "First", "ben")
        self.sign_in()
        self.find("#work .queue time", "just now")
        self.pass_hours(2)
        self.find("#work .queue time", "2 hours ago")
        self.press("Take the next message")
        self.find("#work .facts time", "2 hours ago")
        self.pass_hours(1)
        self.find("#work .facts time", "3 hours ago")

    def test_a_message_that_is_kept_longer_says_until_when(self):
        self.send(self.role, "It takes long", "ben")
        self.sign_in()
        self.press("Take the next message")
        before = self.find("#work .facts time:last-of-type").get_attribute("datetime")
        self.press("Keep it longer")
        told = self.find("#work article .notice.good time").get_attribute("datetime")
        self.assertGreater(told, before)
        self.assertEqual(self.find("#work .facts time:last-of-type").get_attribute("datetime"), told)

    def test_a_token_that_may_only_work_works(self):
        body = {"actor": "root", "scopes": ["work"]}
        token = self.expect(201, self.post("/v1/tokens", body))["token"]
        self.browser.get(f"{self.server.url}/#token={token}")
        self.find("#work", "Nothing waits for you.")
        self.find(".lost", "lacks the scope")

    def test_a_server_that_leaves_after_an_answer_is_one_quiet_line(self):
        self.send(self.role, "Last words", "ben")
        self.sign_in()
        self.press("Take the next message")
        self.find("#work h3", "Last words")
        self.browser.execute_script(
            """const ask = window.fetch;
               window.fetch = (path, how) => path === "/v1/done" ? ask(path, how) : Promise.reject();""")
        self.press("Done")
        self.find("#work .notice.good", "Done. ben has your answer.")
        self.find(".lost", "The server cannot be reached: is it still running? What you see may be old;")

    def test_a_notice_is_a_quiet_line_of_the_next_load_and_of_no_other(self):
        self.expect(200, self.post("/v1/notices", {"choice": "urgent"}, self.me))
        self.sign_in()
        self.send(self.role, "The till is stuck", "sofie", **{"class": "urgent"})
        answer = self.expect(200, self.get("/v1/notices?wait_ms=10000", self.me))
        self.assertEqual(answer["last"], 1)
        self.find("#work", "1 message waits")
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, ".told"), [])  # nothing interrupts
        self.browser.refresh()
        self.find(".told", f"{self.role} (1 message, 1 urgent).")
        self.browser.refresh()
        self.find("#work", "1 message waits")
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, ".told"), [])

    def alarm_line(self):
        """What the page is to say; "" for nothing."""
        roles = [role for role in self.get("/v1/tree").json["roles"] if role["alarm"]]
        if not roles:
            return ""
        reason = {True: "nobody holds it", False: "something waits there that nobody decides or takes"}
        named = ", ".join(f"{role['name']} ({reason[role['vacant']]})" for role in roles[:3])
        more = f" and {len(roles) - 3} more" if len(roles) > 3 else ""
        needs = "role needs" if len(roles) == 1 else "roles need"
        return f"{len(roles)} {needs} somebody: {named}{more}. Show the roles"

    def test_an_alarm_is_a_quiet_line_for_everybody_until_somebody_is_there(self):
        self.sign_in()
        self.find(".tree .row", "larkfield")
        line = self.browser.find_element(By.CSS_SELECTOR, ".alarms")

        def says():
            self.browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")  # look again
            expected = self.alarm_line()
            return line.is_displayed() == (expected != "") and line.text == expected

        self.wait(says, "what there is at first")
        before = self.alarm_line()
        self.expect(200, self.post("/v1/holders", {"role": self.role, "holders": []}))
        self.assertNotEqual(self.alarm_line(), before)
        self.wait(says, "the vacant role")
        others = [f"{self.role}-{i}" for i in range(4)]
        for name in others:
            self.expect(201, self.post("/v1/roles", {"name": name, "parent": "office"}))
        self.wait(says, "more of them than are named")
        if "SCREENSHOT" in os.environ:
            self.browser.save_screenshot(os.environ["SCREENSHOT"])
        for name in [self.role, *others]:
            self.expect(200, self.post("/v1/holders", {"role": name, "holders": [self.me]}))
        self.assertEqual(self.alarm_line(), before)
        self.wait(says, "what there was before")
        vacant = [role["name"] for role in self.get("/v1/tree").json["roles"] if role["vacant"]]
        for name in vacant:
            self.expect(200, self.post("/v1/holders", {"role": name, "holders": [self.me]}))
        self.assertEqual(self.alarm_line(), "")
        self.wait(says, "nothing, and no line")
        for name in vacant:
            self.expect(200, self.post("/v1/holders", {"role": name, "holders": []}))

    def test_a_phone_shows_everything_without_scrolling_sideways(self):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
        )
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        self.send(self.role, "A long subject without any" + "breaks" * 40, "ben", body="x" * 300)
        self.sign_in()
        self.find(".tree .row", "larkfield")
        self.press("Take the next message")
        self.field("Your reply")
        width = self.browser.execute_script("return document.documentElement.scrollWidth")
        self.assertLessEqual(width, 360)
        for button in self.browser.find_elements(By.CSS_SELECTOR, "#work button"):
            self.assertGreaterEqual(button.size["height"], 44, button.text)

    def test_every_control_has_a_name_and_can_be_reached_by_keyboard(self):
        self.sign_in()
        self.find(".tree .row")
        nameless = self.browser.execute_script(
            """return [...document.querySelectorAll('input, select, textarea, button, a')]
                 .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
                 .map((e) => e.outerHTML)"""
        )
        self.assertEqual(nameless, [])
        reached = set()
        for _ in range(12):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            reached.add(self.browser.switch_to.active_element.get_attribute("name"))
        self.assertLessEqual({"to", "class", "subject", "body"}, reached)


if __name__ == "__main__":
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        os._exit(77)  # what CTest takes for skipped
    unittest.main(verbosity=2, warnings="ignore")
