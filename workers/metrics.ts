export const createMetrics = () => ({});
