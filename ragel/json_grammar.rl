# SPDX-License-Identifier: MIT
#
# JSON: the rules of RFC 8259, with white space written out, and of RFC 3629 for UTF-8; spec/messages.abnf has them
# under the same names (a hyphen there is an underscore here). What the actions do stands in the files that include
# this one: enter_object, enter_array and enter_character call the machines at the end, leave returns, and not_UTF8 tells
# an octet that is not UTF-8 from other wrong ones.
#
# A character of several octets is a machine of its own for the sake of the others: what can begin one is a single range
# in a string this way, so that an octet of plain text is asked few questions.

%%{
  machine json_grammar;

  ws_octet = 0x20 | 0x09 | 0x0A | 0x0D;
  ws       = ws_octet*;
  DIGIT    = "0".."9";
  HEXDIG   = DIGIT | "A".."F" | "a".."f";

  begin_array     = "[";
  begin_object    = "{";
  end_array       = "]";
  end_object      = "}";
  name_separator  = ":";
  value_separator = ",";

  literal = "false" | "null" | "true";

  int    = "0" | "1".."9" DIGIT*;
  frac   = "." DIGIT+;
  exp    = ( "e" | "E" ) ( "-" | "+" )? DIGIT+;
  number = "-"? int frac? exp?;

  UTF8_tail = 0x80..0xBF;
  UTF8_2    = 0xC2..0xDF UTF8_tail;
  UTF8_3    = 0xE0 0xA0..0xBF UTF8_tail | 0xE1..0xEC UTF8_tail{2} |
              0xED 0x80..0x9F UTF8_tail | 0xEE..0xEF UTF8_tail{2};
  UTF8_4    = 0xF0 0x90..0xBF UTF8_tail{2} | 0xF1..0xF3 UTF8_tail{3} | 0xF4 0x80..0x8F UTF8_tail{2};
  UTF8_more = UTF8_2 | UTF8_3 | UTF8_4;

  quotation_mark = 0x22;
  unescaped      = 0x20..0x21 | 0x23..0x5B | 0x5D..0x7F | 0x80..0xFF @enter_character;
  escape         = "\\" ( ["\\/bfnrt] | "u" HEXDIG{4} );
  char           = unescaped | escape;
  string         = quotation_mark char* quotation_mark;

  object = begin_object @enter_object;
  array  = begin_array @enter_array;
  value  = literal | object | array | number | string;
  member = string ws name_separator ws value;

  members  = member ws ( value_separator ws member ws )*;
  elements = value ws ( value_separator ws value ws )*;

  object_rest := ws members? end_object @leave;
  array_rest  := ws elements? end_array @leave;
  character   := UTF8_more $!not_UTF8 @leave;
}%%
