/** Names of what `keelson doctor` sends. */

/** `service.name` of its telemetry. It names no `telemetry.sdk.name`, so that nobody misses it when it ends. */
export const DOCTOR_SERVICE = 'keelson-doctor';
export const DOCTOR_SCOPE = 'keelson.doctor';
export const DOCTOR_SPAN = 'keelson.doctor.probe';
/** Gauge, seconds since 1970: when the doctor last ran. One series, and each run knows its own by the value. */
export const DOCTOR_METRIC = 'keelson.doctor.last_run';
export const DOCTOR_EVENT = 'keelson.doctor.probe';
/** `alertname` of the test alert. */
export const DOCTOR_ALERT = 'KeelsonDoctorTest';
/** Label of the test alert that tells one run from another. */
export const DOCTOR_ALERT_LABEL = 'run_id';
