{{/* Not the operator's own: neither Service nor PodDisruptionBudget may take the test for a replica. */}}
{{- define "rto.testLabels" -}}
app.kubernetes.io/name: {{ printf "%s-test" (include "rto.name" .) | trunc 63 | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Scrapes until a replica says that it runs and sees the RegistryTokens; half a minute at most. */}}
{{- define "rto.testScript" -}}
const url = 'http://{{ include "rto.fullname" . }}-metrics.{{ .Release.Namespace }}.svc:{{ .Values.metrics.port }}/metrics';
const wanted = ['registrytoken_build_info', 'workqueue_depth'];
const scrape = async () => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
  const page = await answer.text();
  const missing = wanted.filter((name) => !page.includes(name));
  if (!answer.ok || missing.length > 0) throw new Error(`status ${answer.status}, without ${missing.join(', ')}`);
};
const attempt = async (left) => {
  try {
    await scrape();
    console.log(`${url} answers`);
  } catch (error) {
    if (left === 0) throw new Error(`${url}: ${error.message}`, { cause: error });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await attempt(left - 1);
  }
};
attempt(15);
{{- end }}
