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
