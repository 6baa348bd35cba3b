using Cloud.Agents.Contract;
using Cloud.Agents.Host.Disks;

namespace Cloud.Agents.Host.Handlers;

public sealed class ImageHandlers(ImageCache images) : IHandler<EnsureImage>, IHandler<RemoveImage>
{
    public async Task<Result?> Handle(EnsureImage command, CancellationToken ct) =>
        new Result(Bytes: new FileInfo(await images.Ensure(command, ct)).Length);

    public async Task<Result?> Handle(RemoveImage command, CancellationToken ct)
    {
        await images.Remove(command.ImageId, ct);
        return null;
    }
}
