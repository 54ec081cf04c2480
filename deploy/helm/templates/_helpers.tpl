{{- define "missingkbs.name" -}}
{{- if contains "missingkbs" .Release.Name -}}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{- else -}}{{ printf "%s-missingkbs" .Release.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "missingkbs.selector" -}}
app.kubernetes.io/name: missingkbs
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "missingkbs.labels" -}}
{{ include "missingkbs.selector" . }}
{{- if eq .Release.Service "Helm" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: Helm
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
{{- end -}}

{{- define "missingkbs.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "missingkbs.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "missingkbs.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- /* The settings that name files, each with the key of the Secret that is the file. */ -}}
{{- define "missingkbs.files" -}}
SLACK_APP_TOKEN_FILE: slack-app-token
SLACK_BOT_TOKEN_FILE: slack-bot-token
{{- if eq .Values.database.kind "postgres" }}
DATABASE_URL_FILE: database-url
{{- end }}
{{- if eq .Values.entra.method "certificate" }}
AZURE_CLIENT_CERTIFICATE_PATH: azure-certificate.pem
{{- else if eq .Values.entra.method "clientSecret" }}
AZURE_CLIENT_SECRET_FILE: azure-client-secret
{{- end }}
{{- with .Values.secretFiles }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* All settings. One that the chart makes of another value may not stand in settings, too: which of them counts? */ -}}
{{- define "missingkbs.settings" -}}
{{- $own := dict "HTTP_ADDR" ":8080" "GOMEMLIMIT" .Values.goMemoryLimit -}}
{{- with .Values.entra -}}
{{- if has .method (list "certificate" "clientSecret") -}}
{{- $_ := set $own "AZURE_TENANT_ID" (required "entra.tenantId: the tenant's id, from the overview of the app registration in Entra" .tenantId) -}}
{{- end -}}
{{- if ne .method "workloadIdentity" -}}
{{- $_ := set $own "AZURE_CLIENT_ID" (required "entra.clientId: the application's id, from its overview in Entra, or \"system\" for the node's identity" .clientId) -}}
{{- end -}}
{{- end -}}
{{- range $name, $key := include "missingkbs.files" . | fromYaml -}}
{{- $_ := set $own $name (printf "/run/secrets/missingkbs/%s" $key) -}}
{{- end -}}
{{- $all := dict "LOG_FORMAT" "json" -}}
{{- range $name, $value := .Values.settings -}}
{{- if or (hasKey $own $name) (hasPrefix "AZURE_" $name | and (ne $name "AZURE_AUTHORITY_HOST")) -}}
{{- fail (printf "settings.%s: the chart sets it, from goMemoryLimit, entra, database and secretFiles" $name) -}}
{{- end -}}
{{- /* Numbers come as floats: 1500000 would become 1.5e+06. */ -}}
{{- $_ := set $all $name (ternary $value (toJson $value) (kindIs "string" $value)) -}}
{{- end -}}
{{- merge $all $own | toYaml -}}
{{- end -}}

{{- /* A workload identity takes its ids from annotations of the service account. */ -}}
{{- define "missingkbs.accountAnnotations" -}}
{{- $made := dict -}}
{{- if eq .Values.entra.method "workloadIdentity" -}}
{{- with .Values.entra.clientId }}{{ $_ := set $made "azure.workload.identity/client-id" . }}{{ end -}}
{{- with .Values.entra.tenantId }}{{ $_ := set $made "azure.workload.identity/tenant-id" . }}{{ end -}}
{{- end -}}
{{- $all := merge dict .Values.serviceAccount.annotations $made -}}
{{- if and (eq .Values.entra.method "workloadIdentity") .Values.serviceAccount.create (not (hasKey $all "azure.workload.identity/client-id")) -}}
{{- fail "entra.clientId: the client id of the workload identity" -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end -}}

{{- /* Those of podAnnotations win: prometheus.io/scrape: "false" switches scraping off. */ -}}
{{- define "missingkbs.podAnnotations" -}}
{{- $made := dict "checksum/settings" (include (print .Template.BasePath "/configmap.yaml") . | sha256sum) -}}
{{- if not .Values.serviceMonitor.enabled -}}
{{- $_ := merge $made (dict "prometheus.io/scrape" "true" "prometheus.io/port" "8080" "prometheus.io/path" "/metrics") -}}
{{- end -}}
{{- merge dict .Values.podAnnotations $made | toYaml -}}
{{- end -}}
