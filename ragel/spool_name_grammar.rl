# SPDX-License-Identifier: MIT
#
# The name of an import's file in the spool: spec/messages.abnf, rule for rule (a hyphen there is an underscore here).
# What the actions do stands in spool_name_parse.rl.

%%{
  machine spool_name_grammar;

  DIGIT       = "0".."9";
  lower_hex   = DIGIT | "a".."f";
  decimal     = "0" | "1".."9" DIGIT{0,9};
  instance_id = ( "A".."Z" | "a".."z" | DIGIT | "-" ){1,64};

  sequence  = DIGIT{20} >number_of_64_bits $digit %sequence_read;
  count     = ( "1".."9" DIGIT{0,19} ) >number_of_64_bits $digit;
  import_id = ( lower_hex{16} "-" count ) >span_begins %import_read;
  attempt   = decimal >number_of_32_bits $digit %attempt_read;
  deaths    = decimal >number_of_32_bits $digit %deaths_read;
  holder    = ( instance_id >span_begins %holder_read ) | "_";

  spool_name = sequence "." import_id "." attempt "." deaths "." holder ".json";
}%%
