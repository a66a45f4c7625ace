{{/* Names, labels and what all roles share. Each helper that is about one role takes (dict "root" $ "role" "node"). */}}

{{/* The roles that this release runs, as JSON. */}}
{{- define "upprop.roles" -}}
{{- $roles := list -}}
{{- range $role := list "node" "registry" "evaluator" "reader" -}}
{{- if (index $.Values $role).enabled }}{{ $roles = append $roles $role }}{{ end -}}
{{- end -}}
{{- toJson $roles -}}
{{- end -}}

{{- define "upprop.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- $name = .Release.Name -}}
{{- else -}}
{{- $name = printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{/* Kubernetes appends up to eleven letters to the names of StatefulSets, and we a role and what it is for. */}}
{{- $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of a role's objects. */}}
{{- define "upprop.name" -}}
{{ include "upprop.fullname" .root }}-{{ .role }}
{{- end -}}

{{/* What never changes, and by which Services and policies choose pods. */}}
{{- define "upprop.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "upprop.labels" -}}
{{ include "upprop.selector" . }}
app.kubernetes.io/part-of: upprop
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The migration's pods: no Service and no policy of the role may choose them. */}}
{{- define "upprop.migrationName" -}}
{{ include "upprop.name" . }}-migrate
{{- end -}}

{{- define "upprop.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- define "upprop.onPostgresql" -}}
{{- $own := index .root.Values .role -}}
{{- if and (hasKey $own "database") (eq (dig "database" "type" "sqlite" $own) "postgresql") }}true{{ end -}}
{{- end -}}

{{/* Seconds in which a daemon ends at the latest: its workers, the calls of the federation, those of school systems and
those of the command line have ten each (DRAIN_SECONDS). */}}
{{- define "upprop.drainSeconds" -}}40{{- end -}}

{{/* The command of a role, and the setting by which commands typed into its pod find its settings. */}}
{{- define "upprop.serveArgs" -}}
{{- if eq .role "reader" }}{{ toJson (list "dashboard") }}{{ else }}{{ toJson (list .role "serve") }}{{ end -}}
{{- end -}}
{{- define "upprop.configVariable" -}}UPPROP_{{ upper .role }}_CONFIG{{- end -}}

{{/* The Prometheus job of a role, by which the alerts know it. */}}
{{- define "upprop.job" -}}upprop-{{ .role }}{{- end -}}

{{/* Rules of a NetworkPolicy: peers and ports. Without peers there is no rule: an empty list would mean everybody. */}}
{{- define "upprop.egress" -}}
{{- if .to -}}
- to: {{- toYaml .to | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end -}}
{{- end -}}
{{- define "upprop.ingress" -}}
{{- if .from -}}
- from: {{- toYaml .from | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .port }}}
{{- end -}}
{{- end -}}
{{- define "upprop.dns" -}}
{{- $dns := .Values.networkPolicy.dns -}}
{{- if $dns.to -}}
- to: {{- toYaml $dns.to | nindent 4 }}
  ports:
    - {protocol: UDP, port: {{ int $dns.port }}}
    - {protocol: TCP, port: {{ int $dns.port }}}
{{- end -}}
{{- end -}}

{{/* Of these rules those that there are, under `ingress` or `egress`. */}}
{{- define "upprop.rules" -}}
{{- $rules := without .rules "" -}}
{{- if $rules -}}
{{ .direction }}:
{{- range $rules }}
  {{- . | nindent 2 }}
{{- end }}
{{- else -}}
{{ .direction }}: []
{{- end -}}
{{- end -}}
