{{/*
What the API server warns of, for each kind that people write: requests that are legal, and useless or dangerous. `expression` is a CEL
condition on `SPEC`, false where there is something to say. Those about annotations are a policy of their own, for a match condition holds
for a whole policy: an annotation that asks for a rotation brings up nothing about the spec. A spec that the CRD's rules refuse is for
those: an expression that fails warns of nothing. What it takes an account or a registry to know is for the operator, who says it in
conditions.
*/}}
{{- define "rto.warnings.tokens" -}}
- expression: >-
    !has(SPEC.rotation) || !has(SPEC.rotation.gracePeriod) || !has(SPEC.rotation.rotateEvery)
    || duration(SPEC.rotation.gracePeriod) <= duration(SPEC.rotation.rotateEvery)
  message: 'PATH.rotation.gracePeriod is longer than rotateEvery: several previous tokens stay valid at a time; write a shorter one, such as 1h'
- expression: >-
    !has(SPEC.rotation) || !has(SPEC.rotation.policy) || SPEC.rotation.policy != 'Manual'
    || !(has(SPEC.rotation.renewBefore) || has(SPEC.rotation.rotateEvery))
  message: 'PATH.rotation.policy Manual replaces no token on schedule: leave renewBefore and rotateEvery out, or write policy: Auto'
- expression: >-
    !has(SPEC.rotation) || !has(SPEC.rotation.policy) || SPEC.rotation.policy != 'Manual'
    || (has(SPEC.lifetime) && SPEC.lifetime == 'Never')
  message: 'PATH.rotation.policy Manual lets the token expire in its Secret unless you ask for a rotation in time; write policy: Auto, or lifetime: Never'
- expression: >-
    !has(SPEC.serviceAccounts) || SPEC.serviceAccounts.all(pattern, !pattern.matches('^[^*]*[*]$')
    || !SPEC.serviceAccounts.exists(name, name != pattern && name.startsWith(pattern.split('*')[0])))
  message: 'PATH.serviceAccounts has entries that a pattern of it covers, such as * for all; leave them out'
{{- end }}

{{- define "rto.warnings.annotations" -}}
- expression: >-
    !has(SPEC) || !has(SPEC.suspend) || !SPEC.suspend || !has(object.metadata.annotations) || !('pullsecrets.dev/rotate' in object.metadata.annotations)
    || (oldObject != null && has(oldObject.metadata.annotations) && 'pullsecrets.dev/rotate' in oldObject.metadata.annotations
    && oldObject.metadata.annotations['pullsecrets.dev/rotate'] == object.metadata.annotations['pullsecrets.dev/rotate'])
  message: 'PATH.suspend is true: the rotation that annotation pullsecrets.dev/rotate asks for waits; write suspend: false'
- expression: >-
    !has(object.metadata.annotations) || object.metadata.annotations.all(key, !key.startsWith('pullsecrets.dev/')
    || key in ['pullsecrets.dev/rotate', 'pullsecrets.dev/template'])
  message: 'metadata.annotations has a key under pullsecrets.dev/ that means nothing: write pullsecrets.dev/rotate to ask for a rotation'
{{- end }}

{{/* The fields of a registry that take a URL are those whose rule in the CRD asks for one. */}}
{{- define "rto.warnings.accounts" -}}
{{- $clear := "^http://(localhost|127[.][0-9.]+|\\\\[::1\\\\])([:/].*)?$" -}}
{{- $crd := .Files.Get "crds/pullsecrets.dev_registryaccounts.yaml" | fromYaml -}}
{{- $spec := (first $crd.spec.versions).schema.openAPIV3Schema.properties.spec -}}
{{- range $block := include "rto.registries" . | fromJsonArray }}
{{- range $field, $schema := (get $spec.properties $block).properties }}
{{- if contains "^https?://" (get $schema "x-kubernetes-validations" | default list | toJson) }}
- expression: >-
    !has(SPEC.{{ $block }}) || !has(SPEC.{{ $block }}.{{ $field }}) || !SPEC.{{ $block }}.{{ $field }}.startsWith('http://')
    || SPEC.{{ $block }}.{{ $field }}.matches('{{ $clear }}')
  message: 'PATH.{{ $block }}.{{ $field }} is not encrypted: credentials and tokens can be read on the way; write https://'
{{- end }}
{{- end }}
{{- end }}
- expression: >-
    !has(SPEC.regions) || SPEC.regions.all(region, !has(region.endpoint) || !region.endpoint.startsWith('http://')
    || region.endpoint.matches('{{ $clear }}'))
  message: 'PATH.regions has an endpoint that is not encrypted: tokens can be read on the way; write https://'
- expression: >-
    !has(SPEC.limits) || !has(SPEC.limits.scopes) || SPEC.limits.scopes.all(pattern,
    !pattern.matches('[$][(]namespace[)][a-z0-9-]*[*]|[*][a-z0-9-]*[$][(]namespace[)]'))
  message: 'PATH.limits.scopes has * beside $(namespace): with $(namespace)-*, namespace team could name team-a; write $(namespace) alone, or $(namespace)/*'
- expression: '!has(SPEC.harbor) || !((has(SPEC.regions) && size(SPEC.regions) > 0) || has(SPEC.defaultRegion))'
  message: 'PATH.harbor has no regions: leave regions and defaultRegion out'
{{- end }}

{{/* Whether what a policy's rules are about is new: no label and no status brings a warning up again. */}}
{{- define "rto.warnings.newSpec" -}}
has(SPEC) && (oldObject == null || object.spec != oldObject.spec)
{{- end }}

{{- define "rto.warnings.newAnnotations" -}}
has(object.metadata.annotations)
&& (oldObject == null || !has(oldObject.metadata.annotations) || object.metadata.annotations != oldObject.metadata.annotations)
{{- end }}
