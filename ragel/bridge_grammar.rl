# SPDX-License-Identifier: MIT
#
# What Bridge writes on one TCP connection: spec/messages.abnf, rule for rule (a hyphen there is an underscore here).
# It stands on json_grammar.rl. A value is a machine of its own, so that the host can stop before its first octet:
# begin_assets and begin_asset hold the octet that begins it and go there, and whole goes on to `between`.

%%{
  machine bridge_grammar;

  BOM = 0xEF 0xBB 0xBF;
  bye = "Bye Megascans";

  values = ( ws_octet | begin_array @begin_assets | begin_object @begin_asset )* ( bye @said_bye )?;
  stream = BOM? values;

  between := values;
  assets  := begin_array ws ( end_array @empty | object ws ( value_separator ws object ws )* end_array ) @whole;
  asset   := begin_object ws members? end_object @whole;
}%%
