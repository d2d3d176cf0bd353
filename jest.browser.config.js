// The tests in a browser, which `npm run test:browser` starts: apart from the others because they need Chromium.
import base from './jest.config.js';

export default {
  ...base,
  testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
  testPathIgnorePatterns: [],
  setupFilesAfterEnv: [],
  reporters: ['default'],
};
