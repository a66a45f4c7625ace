{{/* config.toml of a role. What a person may choose comes from ROLE.config, by its own name; places and ports are ours. */}}

{{- define "upprop.toml" -}}
{{- if kindIs "string" . -}}
{{ toJson . }}
{{- else if kindIs "slice" . -}}
[{{ range $index, $each := . }}{{ if $index }}, {{ end }}{{ include "upprop.toml" $each }}{{ end }}]
{{- else if kindIs "bool" . -}}
{{ . }}
{{- else if eq (float64 .) (floor .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{- define "upprop.tomlLines" -}}
{{- range $key, $value := . }}
{{ $key }} = {{ include "upprop.toml" $value }}
{{- end }}
{{- end -}}

{{/* Settings whose files are keys of the people's Secret. */}}
{{- define "upprop.peoplesFiles" -}}
{{- $found := dict -}}
{{- range $key, $value := . -}}
{{- $isFile := or (hasSuffix "_file" $key) (has $key (list "certificate" "private_key")) -}}
{{- $_ := set $found $key (ternary (printf "/run/upprop/people/%v" $value) $value $isFile) -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Takes "migrating" too: whether it is the one machine that may change tables. */}}
{{- define "upprop.config" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .role -}}
{{- $settings := dict -}}
{{- $tables := dict -}}
{{- range $key, $value := $own.config -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value) (and (kindIs "string" $value) (eq $value "")) (and (kindIs "slice" $value) (not $value))) -}}
{{- $_ := set $settings $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $settings "data_dir" "/var/lib/upprop/data" -}}
{{- $_ := set $settings "descriptor" "/etc/upprop/federation/federation.toml" -}}
{{- $_ := set $settings "authority_key" "/etc/upprop/federation/authority.pub" -}}
{{- $_ := set $settings "private_key" "/run/upprop/identity/tls.key" -}}
{{- $itself := eq $own.identity.renewedBy "federation" -}}
{{- $_ := set $settings "certificate" (ternary "/var/lib/upprop/tls/tls.crt" "/etc/upprop/certificate/tls.crt" $itself) -}}
{{- $_ := set $settings "renew_certificate" $itself -}}
{{- $_ := set $settings "metrics_listen" (printf "%s:9464" $values.listenAddress) -}}
{{- if or (eq .role "registry") (eq .role "evaluator") -}}
{{- $_ := set $settings "listen" (printf "%s:7450" $values.listenAddress) -}}
{{- end -}}
{{- if eq (include "upprop.onPostgresql" .) "true" -}}
{{- $_ := set $settings "database_url_file" (printf "/run/upprop/database/%s" $own.database.name) -}}
{{- end -}}
{{- if eq .role "node" -}}
{{- $_ := set $settings "record_key" (printf "/run/upprop/record-key/%s" $own.recordKey.name) -}}
{{- if $own.enrolment.enabled -}}
{{- $_ := set $settings "enrolment_listen" (printf "%s:7452" $values.listenAddress) -}}
{{- $_ := set $settings "enrolment_names" $own.enrolment.names -}}
{{- end -}}
{{- range $name, $given := $own.config.school_systems -}}
{{- $system := dict -}}
{{- range $key, $value := $given -}}
{{- $isFile := has $key (list "token_file" "client_secret_file" "ca_file") -}}
{{- $_ := set $system $key (ternary (printf "/run/upprop/school-systems/%v" $value) $value $isFile) -}}
{{- end -}}
{{- $_ := set $tables (printf "school_systems.%s" $name) $system -}}
{{- end -}}
{{- if $own.casework.existingConfigMap }}{{ $_ := set $settings "casework_dir" "/etc/upprop/casework" }}{{ end -}}
{{- with $own.config.mail }}{{ $_ := set $tables "mail" (include "upprop.peoplesFiles" . | fromJson) }}{{ end -}}
{{- range $name, $given := $own.config.webhooks -}}
{{- $_ := set $tables (printf "webhooks.%s" $name) (include "upprop.peoplesFiles" $given | fromJson) -}}
{{- end -}}
{{- with $own.config.console -}}
{{- $console := include "upprop.peoplesFiles" (omit . "openid" "roles" "units") | fromJson -}}
{{- $_ := set $console "listen" (printf "%s:7470" $values.listenAddress) -}}
{{- $_ := set $tables "console" $console -}}
{{- with .openid }}{{ $_ := set $tables "console.openid" (include "upprop.peoplesFiles" . | fromJson) }}{{ end -}}
{{- with .roles -}}
{{/* Groups are whatever the provider calls them. */}}
{{- $roles := dict -}}
{{- range $group, $role := . }}{{ $_ := set $roles (toJson $group) $role }}{{ end -}}
{{- $_ := set $tables "console.roles" $roles -}}
{{- end -}}
{{- with .units -}}
{{- $units := dict -}}
{{- range $told, $unit := . }}{{ $_ := set $units (toJson $told) $unit }}{{ end -}}
{{- $_ := set $tables "console.units" $units -}}
{{- end -}}
{{- end -}}
{{- else if eq .role "registry" -}}
{{- $_ := set $settings "ledger_key" (printf "/run/upprop/ledger-key/%s" $own.ledgerKey.name) -}}
{{- if $own.join.enabled }}{{ $_ := set $settings "join_listen" (printf "%s:7451" $values.listenAddress) }}{{ end -}}
{{- if $own.ca.existingSecret -}}
{{- $_ := set $settings "ca_certificate" (printf "/run/upprop/ca/%s" $own.ca.certificateName) -}}
{{- $_ := set $settings "ca_key" (printf "/run/upprop/ca/%s" $own.ca.privateKeyName) -}}
{{- end -}}
{{/* Each key is named, and no epoch_key_dir is: `upprop registry epoch begin` would write a key into memory, and the next
restart would lose it with all pseudonyms under it. */}}
{{- $epochs := dict -}}
{{- range $epoch := $own.epochKeys.epochs -}}
{{- $_ := set $epochs (printf "%d" (int64 $epoch)) (printf "/run/upprop/epoch-keys/epoch-%d.key" (int64 $epoch)) -}}
{{- end -}}
{{- $_ := set $tables "epoch_keys" $epochs -}}
{{- if and .migrating $own.database.roles.owner -}}
{{- $roles := $own.database.roles -}}
{{- $_ := set $tables "database_roles" (dict "owner" $roles.owner "app" $roles.app "migrator_url_file" (printf "/run/upprop/migrator/%s" $roles.name)) -}}
{{- end -}}
{{- else if eq .role "evaluator" -}}
{{- $_ := set $settings "signing_key" (printf "/run/upprop/signing-key/%s" $own.signingKey.name) -}}
{{- $_ := set $settings "share_dir" "/var/lib/upprop-shares/shares" -}}
{{- if $own.shares.existingSecret -}}
{{- $shares := list -}}
{{- range $name := $own.shares.names }}{{ $shares = append $shares (printf "/run/upprop/shares/%s" $name) }}{{ end -}}
{{- $_ := set $settings "share_files" $shares -}}
{{- end -}}
{{- if not (int64 $own.config.published_pupils) }}{{ $settings = omit $settings "published_pupils" }}{{ end -}}
{{- else -}}
{{- $_ := set $settings "http_listen" (printf "%s:7460" (ternary "127.0.0.1" $values.listenAddress $own.loopback)) -}}
{{- end -}}
# Made by the chart from {{ .role }}.config and the rest of the values: change those.
{{- include "upprop.tomlLines" $settings }}
{{- range $name, $table := $tables }}

[{{ $name }}]
{{- include "upprop.tomlLines" $table }}
{{- end }}
{{ end -}}
