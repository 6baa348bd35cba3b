using Cloud.Tests.EndToEnd.Azure;
using Cloud.Tests.EndToEnd.Images;
using Cloud.Tests.EndToEnd.Objects;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Containers;

/// <summary>One broker in a container for all of a class.</summary>
public sealed class OneContainedRabbitMq(Docker docker) : IAsyncLifetime
{
    public ContainedRabbitMq? Broker { get; private set; }

    public async ValueTask InitializeAsync() => Broker = docker.IsThere ? await ContainedRabbitMq.Start(docker) : null;

    public ValueTask DisposeAsync() => Broker?.DisposeAsync() ?? default;
}

/// <summary>The whole suite of a bus, the broker in a container that is killed and started again in the midst of traffic.</summary>
[Collection(WithDocker.Name)]
public sealed class ContainedBusTests(OneContainedRabbitMq rabbit) : BrokerBusTests(rabbit.Broker, Docker.Missing + " and rabbitmq-server"), IClassFixture<OneContainedRabbitMq>;

/// <summary>Tables of an Azurite in a container for all of a class.</summary>
public sealed class OneContainedAzurite(Docker docker) : IAsyncLifetime
{
    public ContainedAzurite? Azurite { get; private set; }

    public async ValueTask InitializeAsync() => Azurite = docker.IsThere ? await ContainedAzurite.Start(docker, "table") : null;

    public ValueTask DisposeAsync() => Azurite?.DisposeAsync() ?? default;
}

/// <summary>The whole suite of a store, on tables of an Azurite in a container.</summary>
[Collection(WithDocker.Name)]
public sealed class ContainedStoreTests(OneContainedAzurite azurite) : AzureTableTests(azurite.Azurite?.Connection, Docker.Missing + "; " + Azurite.Missing), IClassFixture<OneContainedAzurite>;

/// <summary>Images' and objects' bytes, in an Azurite in a container.</summary>
[Collection(WithDocker.Name)]
public sealed class ContainedBlobsTests(Docker docker)
{
    [Fact]
    public async Task Images_and_copies_of_objects_are_kept_there()
    {
        Assert.SkipUnless(docker.IsThere, Docker.Missing);
        await using var azurite = await ContainedAzurite.Start(docker, "blob");
        Assert.SkipWhen(azurite is null, Azurite.Missing);
        await AzureBlobsTests.Check(new(azurite.Connection, "images"));
        var data = Directory.CreateTempSubdirectory("cs-replicas-");
        try { await AzureReplicaTests.Check(new(azurite.Connection, "objects"), data.FullName); }
        finally { data.Delete(recursive: true); }
    }
}
