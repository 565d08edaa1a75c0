# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of the guest's streams: nothing lost, nothing held, no token."""

import unittest

from dxglib.streams import BufferSink, Marked

TOKEN = b"end-0123"


class MarkedStream(unittest.TestCase):
    def feed(self, *pieces):
        sink = BufferSink()
        marked = Marked(TOKEN, sink)
        for piece in pieces:
            marked.write(piece)
        return marked, sink

    def test_token_ends_it(self):
        marked, sink = self.feed(b"hello\n" + TOKEN + b"late")
        self.assertTrue(marked.ended)
        self.assertEqual(sink.bytes(), b"hello\n")

    def test_token_in_every_split(self):
        text = b"data e en end " + TOKEN
        for at in range(len(text)):
            with self.subTest(at):
                marked, sink = self.feed(text[:at], text[at:])
                self.assertTrue(marked.ended)
                self.assertEqual(sink.bytes(), b"data e en end ")

    def test_byte_by_byte(self):
        marked, sink = self.feed(*(bytes([byte])
                                   for byte in b"eeend-end-" + TOKEN))
        self.assertTrue(marked.ended)
        self.assertEqual(sink.bytes(), b"eeend-end-")

    def test_nothing_is_held_that_cannot_be_the_token(self):
        _, sink = self.feed(b"prompt> ")
        self.assertEqual(sink.bytes(), b"prompt> ")

    def test_a_cut_stream_is_passed_on(self):
        marked, sink = self.feed(b"text en")
        self.assertEqual(sink.bytes(), b"text ")
        marked.flush()
        self.assertEqual(sink.bytes(), b"text en")
        self.assertFalse(marked.ended)

    def test_a_guest_that_goes_back_says_it_again(self):
        marked, sink = self.feed(b"one en")
        mark = marked.mark()
        for rest in (b"d of first" + TOKEN, b"d of second" + TOKEN):
            marked.write(rest)
            self.assertTrue(marked.ended)
            marked.rewind(mark)
            self.assertFalse(marked.ended)
            self.assertEqual(sink.bytes(), b"one ")
        marked.write(b"d of all" + TOKEN)
        self.assertEqual(sink.bytes(), b"one end of all")
