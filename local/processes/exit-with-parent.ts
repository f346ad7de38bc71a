// Preloaded into every process of the local cloud: when the one that started it is gone, even by kill -9, it ends as
// on SIGTERM, so that nothing is left behind holding a port or the data folder.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
