{{/* What the schema cannot say: each refusal is one sentence, and says what to do. */}}
{{- define "upprop.check" -}}
{{- $values := .Values -}}
{{- $roles := include "upprop.roles" . | fromJsonArray -}}
{{- if not $roles }}{{ fail "Nothing is switched on. Set node.enabled, registry.enabled, evaluator.enabled or reader.enabled to true." }}{{ end -}}
{{- $alone := or (eq (len $roles) 1) (and (eq (len $roles) 2) $values.registry.enabled $values.reader.enabled) -}}
{{- if not (or $alone $values.unsafeRolesTogether) -}}
{{- fail (printf "%s in one release: whoever runs them together can name every pupil. Install a release for each, by separate bodies; for a trial with made-up pupils set unsafeRolesTogether to true." (join ", " $roles)) -}}
{{- end -}}
{{- if not $values.image.repository }}{{ fail "image.repository is empty. Build the image of the Containerfile, put it into your registry of images, and name it." }}{{ end -}}
{{- $federation := $values.federation -}}
{{- $given := 0 -}}
{{- if $federation.existingConfigMap }}{{ $given = add $given 1 }}{{ end -}}
{{- if $federation.existingSecret }}{{ $given = add $given 1 }}{{ end -}}
{{- if or $federation.descriptor $federation.authorityKey }}{{ $given = add $given 1 }}{{ end -}}
{{- if ne (int $given) 1 }}{{ fail "The descriptor is given in no place, or in several. Set one of federation.existingConfigMap, federation.existingSecret, or federation.descriptor with federation.authorityKey." }}{{ end -}}
{{- if and (or $federation.descriptor $federation.authorityKey) (not (and $federation.descriptor $federation.authorityKey)) -}}
{{- fail "federation.descriptor and federation.authorityKey belong together. Set both, with --set-file." -}}
{{- end -}}
{{- range $role := $roles }}{{ include "upprop.checkRole" (dict "root" $ "role" $role) }}{{ end -}}
{{- if $values.registry.enabled }}{{ include "upprop.checkRegistry" . }}{{ end -}}
{{- if $values.node.enabled }}{{ include "upprop.checkNode" . }}{{ end -}}
{{- if and $values.evaluator.enabled $values.evaluator.shares.existingSecret (not $values.evaluator.shares.names) -}}
{{- fail "evaluator.shares.existingSecret is set and evaluator.shares.names is empty. List the keys of the Secret, as epoch-1.share." -}}
{{- end -}}
{{- if and $values.evaluator.enabled $values.evaluator.shares.names (not $values.evaluator.shares.existingSecret) -}}
{{- fail "evaluator.shares.names is set and evaluator.shares.existingSecret is empty. Name the Secret that holds these shares." -}}
{{- end -}}
{{- end -}}

{{- define "upprop.checkRole" -}}
{{- $own := index .root.Values .role -}}
{{- $secrets := dict "identity" "tls.key and tls.crt" -}}
{{- if eq .role "node" }}{{ $_ := set $secrets "recordKey" "record.key" }}{{ end -}}
{{- if eq .role "registry" }}{{ $_ := set $secrets "ledgerKey" "ledger.key" }}{{ $_ := set $secrets "epochKeys" "epoch-1.key" }}{{ end -}}
{{- if eq .role "evaluator" }}{{ $_ := set $secrets "signingKey" "signing.key" }}{{ end -}}
{{- range $name, $holds := $secrets -}}
{{- if not (index $own $name).existingSecret -}}
{{- fail (printf "%s.%s.existingSecret is empty. Make a Secret with %s, and name it." $.role $name $holds) -}}
{{- end -}}
{{- end -}}
{{- $needed := add (int $own.preStopSeconds) (int (include "upprop.drainSeconds" .)) -}}
{{- if le (int $own.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d: a pod would be killed before it has ended its calls. Set it to more than %d." .role (int $own.terminationGracePeriodSeconds) (int $needed)) -}}
{{- end -}}
{{- if eq $own.identity.renewedBy "certManager" -}}
{{- if not (and $own.identity.uri $own.identity.certManager.issuerName) -}}
{{- fail (printf "%s.identity.renewedBy is certManager. Set %s.identity.uri and %s.identity.certManager.issuerName too." .role .role .role) -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $own "database") (eq (include "upprop.onPostgresql" .) "true") (not $own.database.existingSecret) -}}
{{- fail (printf "%s.database.type is postgresql and %s.database.existingSecret is empty. Make a Secret with the URL, and name it." .role .role) -}}
{{- end -}}
{{- if and (hasKey $own "database") (ne (include "upprop.onPostgresql" .) "true") $own.database.existingSecret -}}
{{- fail (printf "%s.database.existingSecret is set and %s.database.type is sqlite. Set the type to postgresql, or take the Secret out." .role .role) -}}
{{- end -}}
{{- end -}}

{{- define "upprop.checkRegistry" -}}
{{- $own := .Values.registry -}}
{{- if ne (include "upprop.onPostgresql" (dict "root" . "role" "registry")) "true" -}}
{{- if gt (int $own.replicas) 1 -}}
{{- fail (printf "registry.replicas is %d and the database is SQLite, which one pod alone can have. Set registry.database.type to postgresql, or registry.replicas to 1." (int $own.replicas)) -}}
{{- end -}}
{{- if $own.autoscaling.enabled -}}
{{- fail "registry.autoscaling is on and the database is SQLite, which one pod alone can have. Set registry.database.type to postgresql, or registry.autoscaling.enabled to false." -}}
{{- end -}}
{{- end -}}
{{- if lt (int $own.autoscaling.maxReplicas) (int $own.autoscaling.minReplicas) -}}
{{- fail "registry.autoscaling.maxReplicas is less than minReplicas. Set it to at least as many." -}}
{{- end -}}
{{- $roles := $own.database.roles -}}
{{- if or $roles.owner $roles.app $roles.existingSecret -}}
{{- if not (and $roles.owner $roles.app $roles.existingSecret (eq $own.database.type "postgresql")) -}}
{{- fail "registry.database.roles needs owner, app and existingSecret, and registry.database.type postgresql. Set all, or none." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "upprop.checkNode" -}}
{{- $own := .Values.node -}}
{{- if and $own.enrolment.enabled (not (and $own.enrolment.names $own.enrolment.from)) -}}
{{- fail "node.enrolment is on. Set node.enrolment.names (how school systems call the node) and node.enrolment.from (who may reach it)." -}}
{{- end -}}
{{- with $own.config.console -}}
{{- if not $own.console.from -}}
{{- fail "node.config.console serves pages. Set node.console.from (who may reach them)." -}}
{{- end -}}
{{- if not (or (and .certificate .private_key) .proxies) -}}
{{- fail "node.config.console lacks certificate and private_key, or proxies. Pages leave the pod by TLS, or behind a proxy that ends it." -}}
{{- end -}}
{{- end -}}
{{- $files := list -}}
{{- range $table := concat (list $own.config.console $own.config.console.openid $own.config.mail) (values $own.config.webhooks) -}}
{{- range $key, $value := default dict $table -}}
{{- if or (hasSuffix "_file" $key) (has $key (list "certificate" "private_key")) }}{{ $files = append $files $key }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and $files (not $own.people.existingSecret) -}}
{{- fail "node.config.console, mail or webhooks names files and node.people.existingSecret is empty. Name the Secret whose keys they are." -}}
{{- end -}}
{{- if and (or $own.casework.routines $own.casework.help) (not $own.casework.existingConfigMap) -}}
{{- fail "node.casework names files and no ConfigMap. Set node.casework.existingConfigMap." -}}
{{- end -}}
{{- range $name, $system := $own.config.school_systems -}}
{{- if and (or $system.token_file $system.client_secret_file $system.ca_file) (not $own.schoolSystems.existingSecret) -}}
{{- fail (printf "node.config.school_systems.%s names files and node.schoolSystems.existingSecret is empty. Name the Secret whose keys they are." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
