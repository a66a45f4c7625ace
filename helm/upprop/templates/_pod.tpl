{{/* The pod of a role.

Secrets. Kubernetes mounts a Secret as files of root: readable by root alone, or with fsGroup by a group. The daemons run
as another user and take no secret that a group can read. So only the first init container sees the mounts; it copies
them, as the daemon's user and with mode 0600, into memory (`upprop stage`), and the daemon sees the copies.

Certificate. Where the federation renews it, it lies in the data volume, seeded from the Secret: a later one of the same
key is never set back. Where cert-manager or something else does, it is read from the mounted Secret, which the kubelet
keeps up to date. The key comes from the Secret alone, and stays what the descriptor lists.

Volume. fsGroup lets the user write; OnRootMismatch has the kubelet do so once, since doing so at each start would give
databases and keys below to the group. `upprop stage --private` takes that back wherever it happened. */}}

{{/* The Secrets of a role, as JSON: name of the mount → name of the Secret. */}}
{{- define "upprop.secrets" -}}
{{- $own := index .root.Values .role -}}
{{- $secrets := dict -}}
{{- if not .migrating -}}
{{- $_ := set $secrets "identity" $own.identity.existingSecret -}}
{{- if eq .role "node" -}}
{{- $_ := set $secrets "record-key" $own.recordKey.existingSecret -}}
{{- $_ := set $secrets "school-systems" $own.schoolSystems.existingSecret -}}
{{- $_ := set $secrets "people" $own.people.existingSecret -}}
{{- else if eq .role "registry" -}}
{{- $_ := set $secrets "ledger-key" $own.ledgerKey.existingSecret -}}
{{- $_ := set $secrets "epoch-keys" $own.epochKeys.existingSecret -}}
{{- $_ := set $secrets "ca" $own.ca.existingSecret -}}
{{- else if eq .role "evaluator" -}}
{{- $_ := set $secrets "signing-key" $own.signingKey.existingSecret -}}
{{- $_ := set $secrets "shares" $own.shares.existingSecret -}}
{{- end -}}
{{- end -}}
{{- if eq (include "upprop.onPostgresql" .) "true" -}}
{{- $_ := set $secrets "database" $own.database.existingSecret -}}
{{- if and .migrating (eq .role "registry") }}{{ $_ := set $secrets "migrator" $own.database.roles.existingSecret }}{{ end -}}
{{- end -}}
{{- range $name, $secret := $secrets -}}
{{- if not $secret }}{{ $secrets = omit $secrets $name }}{{ end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{- define "upprop.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 .Values.pods.user }}
runAsGroup: {{ int64 .Values.pods.user }}
fsGroup: {{ int64 .Values.pods.user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "upprop.containerSecurity" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "upprop.common" -}}
image: {{ include "upprop.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext: {{- include "upprop.containerSecurity" .root | nindent 2 }}
env:
  - {name: {{ include "upprop.configVariable" . }}, value: /etc/upprop/config/config.toml}
  # Nothing is written but to volumes; rbcl and grpc unpack and lock in the temporary directory.
  - {name: TMPDIR, value: /tmp}
  - {name: HOME, value: /tmp}
  - {name: PYTHONDONTWRITEBYTECODE, value: "1"}
{{- end -}}

{{- define "upprop.stageContainer" -}}
- name: stage
  {{- include "upprop.common" . | nindent 2 }}
  args:
    - stage
    - --secrets=/mnt/upprop
    - --into=/run/upprop
    - --private=/var/lib/upprop/data
    {{- if eq .role "evaluator" }}
    - --private=/var/lib/upprop-shares/shares
    {{- end }}
    {{- $identity := (index .root.Values .role).identity }}
    {{- if and (eq $identity.renewedBy "federation") (not .migrating) }}
    - --certificate
    - /mnt/upprop/identity/{{ $identity.certificateName }}
    - /var/lib/upprop/tls/tls.crt
    {{- end }}
  resources:
    requests: {cpu: 50m, memory: 128Mi}
    limits: {memory: 512Mi}
  volumeMounts:
    - {name: data, mountPath: /var/lib/upprop}
    {{- if eq .role "evaluator" }}
    - {name: shares, mountPath: /var/lib/upprop-shares}
    {{- end }}
    - {name: run, mountPath: /run/upprop}
    - {name: tmp, mountPath: /tmp}
    {{- range $name, $_ := include "upprop.secrets" . | fromJson }}
    - {name: secret-{{ $name }}, mountPath: /mnt/upprop/{{ $name }}, readOnly: true}
    {{- end }}
{{- end -}}

{{- define "upprop.migrateContainer" -}}
- name: migrate
  {{- include "upprop.common" . | nindent 2 }}
  args: [{{ .role }}, migrate]
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    limits: {memory: 1Gi}
  volumeMounts:
    - {name: config, mountPath: /etc/upprop/config, readOnly: true}
    - {name: data, mountPath: /var/lib/upprop}
    - {name: run, mountPath: /run/upprop, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* Volumes of a pod but those of its claims. */}}
{{- define "upprop.volumes" -}}
- name: config
  configMap: {name: {{ if .migrating }}{{ include "upprop.migrationName" . }}{{ else }}{{ include "upprop.name" . }}{{ end }}}
# In memory, so that no disk ever has the secrets; gone with the pod.
- name: run
  emptyDir: {medium: Memory, sizeLimit: 16Mi}
# Libraries are unpacked and run there: a medium that forbids that will not do.
- name: tmp
  emptyDir: {sizeLimit: 512Mi}
{{- range $name, $secret := include "upprop.secrets" . | fromJson }}
- name: secret-{{ $name }}
  # 288 is 0440: root, and the group of the pod, for the init container.
  secret: {secretName: {{ $secret }}, defaultMode: 288}
{{- end }}
{{- end -}}

{{- define "upprop.federationVolume" -}}
{{- $federation := .Values.federation -}}
- name: federation
  {{- if $federation.existingSecret }}
  secret:
    secretName: {{ $federation.existingSecret }}
  {{- else }}
  configMap:
    name: {{ default (printf "%s-federation" (include "upprop.fullname" .)) $federation.existingConfigMap }}
  {{- end }}
    items:
      - {key: {{ ternary $federation.descriptorName "federation.toml" (empty $federation.descriptor) }}, path: federation.toml}
      - {key: {{ ternary $federation.authorityKeyName "authority.pub" (empty $federation.descriptor) }}, path: authority.pub}
{{- end -}}

{{- define "upprop.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.pods.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "upprop.probes" -}}
# gRPC's own health service asks for a client certificate, which a kubelet cannot present: these are plain HTTP.
{{- if not .Values.maintenance }}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 90
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{- define "upprop.pod" -}}
{{- $own := index .root.Values .role -}}
automountServiceAccountToken: false
serviceAccountName: {{ include "upprop.name" . }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int $own.terminationGracePeriodSeconds }}
securityContext: {{- include "upprop.podSecurity" .root | nindent 2 }}
{{- include "upprop.placement" . }}
topologySpreadConstraints:
  {{- if .root.Values.pods.topologySpreadConstraints }}
  {{- toYaml .root.Values.pods.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "upprop.selector" . | nindent 8 }}
  {{- end }}
initContainers:
  {{- include "upprop.stageContainer" . | nindent 2 }}
  {{- if and .root.Values.migration.enabled (not .root.Values.maintenance) (ne .role "reader") (ne (include "upprop.onPostgresql" .) "true") }}
  # SQLite's file is in the volume, which the pod before has let go: nobody else can migrate it, and nobody is at it.
  {{- include "upprop.migrateContainer" . | nindent 2 }}
  {{- end }}
containers:
  - name: {{ .role }}
    {{- include "upprop.common" . | nindent 4 }}
    {{- if .root.Values.maintenance }}
    # Waits to be told to stop; the first process of a container hears of it only where it asks.
    command: [python, -c, "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {15}); signal.sigwait({15})"]
    {{- else }}
    args: {{ include "upprop.serveArgs" . }}
    {{- end }}
    ports:
      - {name: metrics, containerPort: 9464, protocol: TCP}
      {{- if or (eq .role "registry") (eq .role "evaluator") }}
      - {name: rpc, containerPort: 7450, protocol: TCP}
      {{- end }}
      {{- if and (eq .role "registry") $own.join.enabled }}
      - {name: join, containerPort: 7451, protocol: TCP}
      {{- end }}
      {{- if and (eq .role "node") $own.enrolment.enabled }}
      - {name: enrolment, containerPort: 7452, protocol: TCP}
      {{- end }}
      {{- if and (eq .role "node") $own.config.console }}
      - {name: console, containerPort: 7470, protocol: TCP}
      {{- end }}
      {{- if and (eq .role "reader") (not $own.loopback) }}
      - {name: http, containerPort: 7460, protocol: TCP}
      {{- end }}
    {{- include "upprop.probes" .root | nindent 4 }}
    {{- if int $own.preStopSeconds }}
    lifecycle:
      preStop:
        sleep: {seconds: {{ int $own.preStopSeconds }}}
    {{- end }}
    resources: {{- toYaml $own.resources | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: /etc/upprop/config, readOnly: true}
      - {name: federation, mountPath: /etc/upprop/federation, readOnly: true}
      {{- if ne $own.identity.renewedBy "federation" }}
      - {name: certificate, mountPath: /etc/upprop/certificate, readOnly: true}
      {{- end }}
      {{- if and (eq .role "node") $own.casework.existingConfigMap }}
      - {name: casework, mountPath: /etc/upprop/casework, readOnly: true}
      {{- end }}
      - {name: data, mountPath: /var/lib/upprop}
      {{- if eq .role "evaluator" }}
      - {name: shares, mountPath: /var/lib/upprop-shares}
      {{- end }}
      # A registry destroys the key of an epoch that has ended, and an evaluator its share.
      - {name: run, mountPath: /run/upprop, readOnly: {{ not (has .role (list "registry" "evaluator")) }}}
      - {name: tmp, mountPath: /tmp}
volumes:
  {{- include "upprop.volumes" . | nindent 2 }}
  {{- include "upprop.federationVolume" .root | nindent 2 }}
  {{- if and (eq .role "node") $own.casework.existingConfigMap }}
  - name: casework
    configMap:
      name: {{ $own.casework.existingConfigMap }}
      items:
        {{- range $own.casework.routines }}
        - {key: {{ . }}, path: routines/{{ . }}}
        {{- end }}
        {{- with $own.casework.help }}
        - {key: {{ . }}, path: help.yaml}
        {{- end }}
  {{- end }}
  {{- if ne $own.identity.renewedBy "federation" }}
  - name: certificate
    secret:
      secretName: {{ $own.identity.existingSecret }}
      items:
        - {key: {{ $own.identity.certificateName }}, path: tls.crt}
  {{- end }}
{{- end -}}
