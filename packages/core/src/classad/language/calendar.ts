// The proleptic Gregorian calendar in UTC: conversion between epoch seconds and fields.

/** A date and a time of day; `month` and `day` count from 1. */
export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const DAY = 86_400;
const DAYS_OF_ERA = 146_097; // 400 years
const EPOCH_DAYS = 719_468; // from 0000-03-01 to 1970-01-01

/** Returns the days since 1970-01-01. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - EPOCH_DAYS;
}

/** Returns the epoch seconds of a date and time in UTC. */
export function epochOf(civil: Civil): number {
  const days = daysOf(civil.year, civil.month, civil.day);
  return days * DAY + civil.hours * 3600 + civil.minutes * 60 + civil.seconds;
}

/** Returns the date and time of day in UTC at `epoch` seconds. */
export function civilOf(epoch: number): Civil {
  const whole = Math.floor(epoch);
  const days = Math.floor(whole / DAY);
  const rest = whole - days * DAY;
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / DAYS_OF_ERA);
  const dayOfEra = shifted - era * DAYS_OF_ERA;
  const leaps =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor((rest % 3600) / 60),
    seconds: rest % 60,
  };
}

/** Returns the day of the week at `epoch` seconds in UTC; Sunday is 0. */
export const weekdayOf = (epoch: number): number => (((Math.floor(epoch / DAY) + 4) % 7) + 7) % 7;

/** Returns the days since the first of January at `epoch` seconds in UTC, from 0. */
export function dayOfYear(epoch: number): number {
  return Math.floor(epoch / DAY) - daysOf(civilOf(epoch).year, 1, 1);
}
