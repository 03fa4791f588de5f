# SPDX-License-Identifier: MIT
#
# The header of a message: spec/messages.abnf, rule for rule (a hyphen there is an underscore here). What the actions
# do stands in frame.rl.

%%{
  machine frame_grammar;

  SP    = 0x20;
  LF    = 0x0A;
  DIGIT = "0".."9";

  register       = "REGISTER";
  unregister     = "UNREGISTER";
  claim_active   = "CLAIM_ACTIVE";
  release_active = "RELEASE_ACTIVE";
  heartbeat      = "HEARTBEAT";
  import_data    = "IMPORT_DATA";
  ack            = "ACK";
  error          = "ERROR";

  known_type =
      register | unregister | claim_active | release_active | heartbeat | import_data | ack | error;
  unknown_type = ( "A".."Z" | "_" ){1,32} - known_type;

  type =
      register %is_register | unregister %is_unregister | claim_active %is_claim_active |
      release_active %is_release_active | heartbeat %is_heartbeat | import_data %is_import_data | ack %is_ack |
      error %is_error | unknown_type %is_unknown;

  magic  = "BH1";
  id     = ( "1".."9" DIGIT{0,9} ) $id_digit;
  length = ( "0" | "1".."9" DIGIT* ) $length_digit;

  header = magic SP type SP id SP @id_read length LF;
}%%
