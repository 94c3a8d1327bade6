#!/usr/bin/python3
"""The live page in a real Chromium, on a real server, with up to 4,096 ranks.

Run by `bazel test //store/http/page:page_test` where Debian's chromium, chromium-driver and
python3-selenium are installed. With SCREENSHOTS=FOLDER in the environment it leaves pictures there.
"""

import json
import os
import resource
import socket
import struct
import subprocess
import sys
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SERVER = sys.argv.pop(1)
PATIENCE_SECONDS = 60
MANY = 4096
PROBE = '<img src=x onerror="window.probed=1"><script>window.probed=1</script>'


def text(value):
    return struct.pack('<Q', len(value)) + value.encode()


class Client:
    """A client of the store that says what it is told to, in the modern dialect."""

    def __init__(self, port):
        self.connection = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE_SECONDS)
        self.connection.sendall(b'\x00\xCE\xF7\x85\x3C')

    def join(self, rank, world_size):
        self.connection.sendall(b'\x01' + text(f'rollcall/rank/{rank}') + text(str(world_size)))
        return self

    def set(self, key, value):
        self.connection.sendall(b'\x01' + text('/' + key) + text(value))

    def add(self, key, number):
        self.connection.sendall(b'\x04' + text('/' + key) + struct.pack('<q', number))

    def wait(self, key):
        self.connection.sendall(b'\x06' + struct.pack('<Q', 1) + text('/' + key))

    def barrier(self, key, world_size):
        self.connection.sendall(b'\x12' + text('/' + key) + struct.pack('<q', world_size))

    def say(self, data):
        self.connection.sendall(data)

    def close(self):
        self.connection.close()


class Server:
    def __init__(self, port=0, http_port=0, name_spaces=()):
        self.process = subprocess.Popen(
            [SERVER, '--host=127.0.0.1', f'--port={port}', f'--http_port={http_port}',
             '--listen=' + ','.join(f'{name}=127.0.0.1:0' for name in name_spaces)],
            stdout=subprocess.PIPE, text=True)
        self.ports = [self.read_port() for _ in name_spaces]
        self.port = self.read_port()
        self.url = self.process.stdout.readline().split()[-1]

    def read_port(self):
        return int(self.process.stdout.readline().rsplit(':', 1)[1])

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()


def new_browser():
    options = Options()
    options.binary_location = '/usr/bin/chromium'
    # A test may run as root and in a sandbox of its own, where Chromium's does not work.
    for argument in ('--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu',
                     '--hide-scrollbars', '--force-prefers-reduced-motion'):
        options.add_argument(argument)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    return webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        cls.browser = new_browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()

    def setUp(self):
        self.clients = []
        self.server = Server()
        self.resize(1200, 900)

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.server.end()

    # --- The vocabulary ---

    def client(self, port=None):
        self.clients.append(Client(port or self.server.port))
        return self.clients[-1]

    def join(self, ranks, world_size, port=None):
        return [self.client(port).join(rank, world_size) for rank in ranks]

    def open_page(self):
        self.browser.get_log('browser')
        self.browser.get(self.server.url)
        self.until(lambda: self.of('link-text') == 'live')

    def resize(self, width, height, dark=False):
        self.browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 500})
        self.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}]})

    def until(self, condition):
        WebDriverWait(self.browser, PATIENCE_SECONDS, poll_frequency=0.05).until(
            lambda _: condition(), condition.__doc__)

    def script(self, script, *arguments):
        return self.browser.execute_script('return ' + script, *arguments)

    def of(self, element_id):
        return self.script('document.getElementById(arguments[0]).innerText', element_id)

    def state_of(self, rank):
        return self.script('document.getElementById(`rank-${arguments[0]}`)?.className[5]', rank)

    def tile(self, name):
        return self.script('[...document.querySelectorAll("#tiles dt")].find('
                           '(term) => term.innerText === arguments[0])?.nextSibling.innerText', name)

    def row_of(self, name_space):
        return self.script('[...document.querySelectorAll("#space-rows tr")].map((row) => '
                           '[...row.cells].map((cell) => cell.innerText))'
                           '.find((cells) => cells[0] === arguments[0])', name_space)

    def follow(self, name_space):
        self.browser.find_element(By.LINK_TEXT, name_space).click()
        self.until(lambda: self.of('link-text') == 'live' and self.of('space') == name_space)

    def errors(self):
        return [entry for entry in self.browser.get_log('browser') if entry['level'] == 'SEVERE']

    def picture(self, name):
        folder = os.environ.get('SCREENSHOTS')
        if folder:
            self.browser.save_screenshot(os.path.join(folder, name + '.png'))

    def assert_fits(self):
        """Nothing is wider than the screen."""
        width = self.script('document.documentElement.scrollWidth')
        self.assertLessEqual(width, self.script('document.documentElement.clientWidth'))

    # --- What it shows ---

    def test_many_ranks_and_who_is_missing(self):
        missing = [17, 900, 901, 902, 4000]
        ranks = self.join([rank for rank in range(MANY) if rank not in missing], MANY)
        for client in ranks[64:]:
            client.barrier('epoch_7/start', MANY)
        self.open_page()
        self.until(lambda: 'Missing: 17, 900-902, 4000' in self.of('summary'))
        self.assertEqual(self.script('document.querySelectorAll("#grid > .cell").length'), MANY)
        self.until(lambda: self.state_of(0) == 'j' and self.state_of(100) == 'w')
        self.assertEqual([self.state_of(rank) for rank in missing], ['m'] * 5)
        self.until(lambda: '0-64, 900-902, 4000' in self.of('wait-rows'))
        self.assertIn('barrier epoch_7/start', self.of('wait-rows'))
        self.picture('page_4096')

        # A rank joins, another one dies: the page follows.
        self.join([17], MANY)
        self.until(lambda: self.state_of(17) == 'j')
        self.until(lambda: 'Missing: 900-902, 4000' in self.of('summary'))
        ranks[100].close()
        self.until(lambda: self.state_of(101) == 'g')
        self.until(lambda: 'Gone: 101' in self.of('summary'))
        self.assertIn('rank 101', self.of('errors'))
        self.assertEqual(self.errors(), [])

        # And fits onto a phone.
        self.resize(375, 812)
        self.assert_fits()
        self.assertEqual(self.script('document.querySelectorAll("#grid > .cell").length'), MANY)

    def test_a_whole_job(self):
        ranks = self.join(range(24), 24)
        self.open_page()
        self.until(lambda: 'All 24 ranks have joined' in self.of('summary'))
        self.assertEqual(self.script('document.getElementById("summary-box").dataset.tone'), 'good')
        self.assertTrue(self.script('document.getElementById("waits-table").hidden'))
        ranks[3].wait('leader')
        self.until(lambda: self.state_of(3) == 'w')
        ranks[0].set('leader', 'node0')
        self.until(lambda: self.state_of(3) == 'j')

    def test_what_peers_choose_stays_text(self):
        rank, other = self.join([0, 1], 2)
        rank.wait(PROBE)
        other.set(PROBE + '2', 'a text')
        other.add(PROBE + '2', 1)
        self.client().wait(PROBE)
        self.open_page()
        self.until(lambda: '<script>' in self.of('wait-rows'))
        self.until(lambda: 'BAD_REQUEST' in self.of('errors'))
        self.until(lambda: '<script>' in self.of('client-rows'))
        self.script('document.querySelector("#rank-0").click()')
        self.until(lambda: '<script>' in self.of('detail'))
        self.assertIn('<script>', self.of('wait-summary'))
        self.assertIsNone(self.script('window.probed'))
        self.assertEqual(self.script('document.querySelectorAll("main img, main script").length'), 0)
        self.assertEqual(self.errors(), [])

    def test_torch_clients(self):
        for _ in range(3):
            self.client().wait('worker')
        self.client().say(b'GET / HTTP/1.1\r\n\r\n')
        self.open_page()
        self.until(lambda: '3 connections' in self.of('summary'))
        self.assertIn("torch's own clients do not say", self.of('summary'))
        self.assertIn('cannot be known', self.of('clients'))
        self.assertEqual(self.script('document.querySelectorAll("#client-rows tr").length'), 3)
        self.assertIn('BAD_BYTES', self.of('errors'))
        self.assertIn('health check', self.of('errors'))

    def test_a_server_that_ends_and_comes_back(self):
        self.join(range(4), 4)
        self.open_page()
        self.until(lambda: 'All 4' in self.of('summary'))
        port, http_port = self.server.port, self.server.url.split(':')[2].strip('/')
        self.server.end()
        self.until(lambda: 'not reachable since' in self.of('link-text'))
        self.assertIn('not reachable since', self.of('summary'))
        self.assertEqual(self.state_of(3), 'j', 'what was known is still there')
        self.picture('page_lost')
        for client in self.clients:
            client.close()
        self.clients = []
        self.server = Server(port, http_port)
        self.until(lambda: self.of('link-text') == 'live')
        self.until(lambda: 'Nobody is connected' in self.of('summary'))

    def test_jobs_that_are_kept_apart(self):
        self.server.end()
        self.server = Server(name_spaces=['vision', 'speech'])
        vision, speech = self.server.ports
        self.join(range(4), 4, vision)[2].wait('vision/leader')
        waiting = self.join([0, 2, 3], 4, speech)
        for rank in waiting:
            rank.wait('speech/leader')
        self.client(speech).set('speech/config', 'x' * 100)
        self.open_page()
        self.until(lambda: 'vision' in self.of('space-rows') and 'speech' in self.of('space-rows'))
        self.until(lambda: self.row_of('speech')[:3] == ['speech', '4', '3'])
        self.assertEqual(self.row_of('vision')[:3], ['vision', '4', '1'])
        self.assertIn('Nobody is connected', self.of('summary'))

        # One job's page is about that job alone, and says which one it is.
        self.follow('speech')
        self.until(lambda: 'Missing: 1' in self.of('summary'))
        self.assertEqual(self.of('space'), 'speech')
        self.assertEqual(self.state_of(0), 'w')
        self.assertEqual(self.tile('clients waiting'), '3')
        self.assertEqual(self.tile('connections'), '4')
        self.until(lambda: 'speech/leader' in self.of('wait-rows'))
        self.assertNotIn('vision/', self.of('wait-rows'))
        self.picture('page_spaces')
        self.follow('vision')
        self.until(lambda: 'All 4 ranks have joined' in self.of('summary'))
        self.assertIn('vision/leader', self.of('wait-rows'))
        self.assertNotIn('speech/', self.of('wait-rows'))
        self.resize(375, 812)
        self.assert_fits()
        self.assertEqual(self.errors(), [])

    # --- Who uses it, and how ---

    def test_by_keyboard(self):
        self.join([0, 1, 2], 4)
        self.open_page()
        self.until(lambda: self.state_of(3) == 'm')
        grid = self.browser.find_element(By.ID, 'grid')
        grid.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.until(lambda: 'Rank 1: joined' in self.of('detail'))
        self.assertEqual(grid.get_attribute('aria-activedescendant'), 'rank-1')
        grid.send_keys(Keys.END)
        self.until(lambda: 'Rank 3: missing' in self.of('detail'))
        self.browser.find_element(By.ID, 'find-rank').send_keys('2', Keys.ENTER)
        self.until(lambda: 'Rank 2: joined' in self.of('detail'))
        # Everything that can be used can be reached.
        reached = set()
        self.script('document.activeElement.blur()')
        for _ in range(20):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            reached.add(self.script('document.activeElement.id || document.activeElement.tagName'))
        self.assertLessEqual({'grid', 'find-rank', 'BUTTON', 'SUMMARY', 'A'}, reached)

    def test_by_screen_reader(self):
        self.join([0, 2], 3)[1].wait('leader')
        self.open_page()
        self.until(lambda: self.state_of(2) == 'w')
        nodes = self.browser.execute_cdp_cmd('Accessibility.getFullAXTree', {})['nodes']
        seen = [(node['role']['value'], node.get('name', {}).get('value', '')) for node in nodes
                if not node.get('ignored')]
        headings = [name for role, name in seen if role == 'heading']
        self.assertEqual(headings[:4], ['Rollcall', 'Summary', 'Ranks', 'Who waits for what'])
        for wanted in (('option', 'rank 0, joined'), ('option', 'rank 1, missing'),
                       ('option', 'rank 2, waiting'), ('columnheader', 'Not there yet'),
                       ('listbox', 'Ranks by state; the arrow keys move')):
            self.assertIn(wanted, seen)
        self.assertTrue(any(role == 'image' and name.startswith('Requests: now') or
                            role == 'img' and name.startswith('Requests: now')
                            for role, name in seen), seen)
        unnamed = [role for role, name in seen
                   if role in ('button', 'link', 'spinbutton', 'listbox', 'option') and not name]
        self.assertEqual(unnamed, [])
        # Only the summary speaks up, and it does not change every second.
        self.assertEqual(self.script('[...document.querySelectorAll("[aria-live]")].map(e => e.id)'),
                         ['summary'])
        self.assertNotRegex(self.of('summary'), r'\d+ ?s\b')

    def test_on_a_phone(self):
        ranks = self.join([rank for rank in range(64) if rank not in (3, 40)], 64)
        for rank in ranks[1:]:
            rank.wait('a/very/long/key/' + 'x' * 200)
        ranks[0].add('a', 1)
        self.client().say(b'\x16\x03\x01' + b'x' * 300)
        for dark in (False, True):
            self.resize(375, 812, dark)
            self.open_page()
            self.until(lambda: 'Missing: 3, 40' in self.of('summary'))
            self.until(lambda: 'xxx' in self.of('wait-rows'))
            self.script('document.querySelector("#rank-5").click()')
            self.until(lambda: 'Rank 5: waiting' in self.of('detail'))
            self.assert_fits()
            self.script('document.querySelector(".as-table").open = true')
            self.assert_fits()
            # Both sets of colours are readable.
            self.assertGreaterEqual(self.contrast('summary'), 4.5)
            self.assertGreaterEqual(self.contrast('wait-summary'), 4.5)
            self.assertGreaterEqual(self.contrast('rank-0'), 4.5)
        self.resize(320, 568)
        self.assert_fits()

    def contrast(self, element_id):
        """By WCAG's formula, of an element's text against what is behind it."""
        return self.script('''(() => {
          const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map(
              (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce(
              (sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          let behind = document.getElementById(arguments[0]);
          const front = light(rgb(getComputedStyle(behind).color));
          while (rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
          const back = light(rgb(getComputedStyle(behind).backgroundColor));
          return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        })()'''.replace('arguments[0]', json.dumps(element_id)))


if __name__ == '__main__':
    unittest.main(verbosity=2)
