/** Each build has a folder of its own. */
export default {
  distDir: process.env.DIST_FOLDER ?? '.next',
  turbopack: { root: import.meta.dirname },
};
