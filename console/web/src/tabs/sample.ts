/*
 * The message that the Publish tab starts with: what a producer of `user-events` sends, without the
 * fields that name one request. Publishing it twice is then two messages, each at its own time.
 */

export const SAMPLE_STREAM = 'user-events';
export const SAMPLE_FIELD = 'userEvents';
/** Where the demo has a message about every second. */
export const LIVELY_FIELD = 'telemetry';
export const LIVELY_DATA = ['temperature', 'humidity', 'battery'];
export const SAMPLE_KEY = '92ebe247-77f5-4a3c-a7f1-d22af67bf71d';
export const SAMPLE_TOPIC = 'dolphin_cms.wizard.step.color_palette.set';

export const SAMPLE_DATA = {
  topic: SAMPLE_TOPIC,
  cookie_id: 'a09c4ca3-d142-4312-ba78-029c3355b8ef',
  message: JSON.stringify({ color: '#6d8d79', language: 'es', paletteIndex: '0' }),
  environment: 'dolphin_cms',
  location: 'https://cms.data.com/wizard/color-palette/',
};

const NEW_FIELDS: [name: string, value: string][] = [
  ['shade', 'teal'],
  ['mood', 'calm'],
  ['season', 'spring'],
  ['weather', 'sunny'],
];

/** A field that the stream has not seen yet, so that publishing it teaches the schema something. */
export function newField(known: string[]): [name: string, value: string] {
  return NEW_FIELDS.find(([name]) => !known.includes(name)) ?? [`field_${known.length + 1}`, 'new'];
}
