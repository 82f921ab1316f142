// RFC 3339 in UTC, computed: pure packages have no Date. Days are converted with the civil
// calendar arithmetic of 400-year eras (proleptic Gregorian).

import { assert } from "@kingly/base";
import { TIME_MS_MAX } from "./limits.ts";

const DAY_MS = 86_400_000;
const ERA_DAYS = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_OFFSET_DAYS = 719_468;

/** `2026-01-31T12:00:00Z`: whole seconds, UTC; the argument is 0 to the year 9999, in ms. */
export function toRfc3339(timeMs: number): string {
  assert(
    Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= TIME_MS_MAX,
    () => `toRfc3339: ${timeMs} is outside 0 to ${TIME_MS_MAX}`,
  );
  const days = Math.floor(timeMs / DAY_MS);
  const seconds = Math.floor((timeMs - days * DAY_MS) / 1000);
  const { year, month, day } = civilFromDays(days);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds % 60, 2)}Z`;
}

/**
 * Milliseconds since 1970 of an RFC 3339 time (fractions and offsets allowed, digits beyond the
 * millisecond dropped); undefined when it is none, or before 1970.
 */
export function fromRfc3339(text: string): number | undefined {
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  const hours = digitsAt(text, 11, 2);
  const minutes = digitsAt(text, 14, 2);
  const seconds = digitsAt(text, 17, 2);
  const marks = `${text.charAt(4)}${text.charAt(7)}${text.charAt(10)}${text.charAt(13)}`;
  if (marks !== "--T:" || text.charAt(16) !== ":") return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  const known = year >= 0 && hours >= 0 && minutes >= 0 && seconds >= 0;
  if (!known || hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = fractionAt(text, 19);
  const offset = fraction === undefined ? undefined : offsetMinutes(text.slice(fraction.end));
  if (fraction === undefined || offset === undefined) return undefined;
  const dayMs = daysFromCivil(year, month, day) * DAY_MS;
  const time = dayMs + ((hours * 60 + minutes - offset) * 60 + seconds) * 1000 + fraction.ms;
  return time >= 0 && time <= TIME_MS_MAX ? time : undefined;
}

/** A duration as tables show it: `12s`, `5m`, `3h`, `8d`; negative counts as 0. */
export function shortDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH_OFFSET_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const daysBefore = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - daysBefore;
  // Months counted from March, so that the leap day is the last of a year.
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * march + 2) / 5) + 1;
  const month = march < 10 ? march + 3 : march - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const march = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * march + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * ERA_DAYS + yearOfEra * 365 + leapDays + dayOfYear - EPOCH_OFFSET_DAYS;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Value of exactly `length` digits at the position; -1 when they are not digits. */
function digitsAt(text: string, at: number, length: number): number {
  let value = 0;
  for (let index = at; index < at + length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function fractionAt(text: string, at: number): { ms: number; end: number } | undefined {
  if (text.charAt(at) !== ".") return { ms: 0, end: at };
  let end = at + 1;
  while (digitsAt(text, end, 1) >= 0) end += 1;
  if (end === at + 1 || end > at + 10) return undefined;
  const ms = Number(
    text
      .slice(at + 1, at + 4)
      .slice(0, end - at - 1)
      .padEnd(3, "0"),
  );
  return { ms, end };
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const hours = digitsAt(zone, 1, 2);
  const minutes = digitsAt(zone, 4, 2);
  const signed = zone.charAt(0) === "+" ? 1 : zone.charAt(0) === "-" ? -1 : 0;
  if (signed === 0 || zone.length !== 6 || zone.charAt(3) !== ":") return undefined;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return signed * (hours * 60 + minutes);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
